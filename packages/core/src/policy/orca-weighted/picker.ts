import { EdfScheduler } from '../../algorithm/edf.ts';
import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { explainCandidates } from '../candidates.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import { type EffectiveWeights, effectiveWeights } from './effective-weights.ts';
import { NO_WEIGHT, type ReportedWeights } from './reported-weights.ts';

/** Turns passed over for the sake of excluded endpoints before one of the others is drawn by weight. */
const MAX_PASSED_TURNS = 8;

/** Told what the weights of a group rest on, whenever they are worked out anew. */
export interface WeightObserver {
  onWeights(knownCount: number, unknownCount: number): void;
}

export interface OrcaWeightedPickerParts {
  readonly members: Members;
  readonly reported: ReportedWeights;
  readonly updateMs: number;
  readonly random: Random;
  readonly observer: WeightObserver;
  /** Of the picker before: whose turn it is goes on. */
  readonly turns: EdfScheduler | undefined;
}

/** Turns in proportion to reported weights. The weights are worked out anew by the first pick after each period. */
export class OrcaWeightedPicker implements Picker {
  readonly turns: EdfScheduler;
  readonly #members: Members;
  readonly #reported: ReportedWeights;
  readonly #updateMs: number;
  readonly #random: Random;
  readonly #observer: WeightObserver;
  /** Undefined before the first pick, which is the first to know the time. */
  #weights: Float64Array | undefined = undefined;
  #draw: MemberDraw;
  #nextUpdateMs = Number.NEGATIVE_INFINITY;

  constructor(parts: OrcaWeightedPickerParts) {
    const { members, reported, updateMs, random, observer, turns } = parts;
    this.turns = turns ?? new EdfScheduler({ random });
    this.#members = members;
    this.#reported = reported;
    this.#updateMs = updateMs;
    this.#random = random;
    this.#observer = observer;
    this.#draw = new MemberDraw(members, random);
  }

  pick({ exclude }: PickContext, nowMs: number): number {
    if (nowMs >= this.#nextUpdateMs) this.#updateWeights(nowMs);
    return exclude === undefined ? this.turns.pick() : this.#pickAllowed(exclude);
  }

  /** Long-run shares with the weights as they are now. Whose turn is next cannot be told without taking it. */
  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    const { slots } = this.#members;
    const { weights, unit } = this.#weightsAt(nowMs);
    return explainCandidates(context, slots, (indexes) => {
      const sum = indexes.reduce((total, index) => total + (weights[index] as number), 0);
      return indexes
        .map((index) => ({
          slot: slots[index] as number,
          shareRatio: (weights[index] as number) / sum,
          reason: this.#reasonOf(index, (weights[index] as number) * unit, nowMs),
        }))
        .sort((a, b) => b.shareRatio - a.shareRatio || a.slot - b.slot);
    });
  }

  #updateWeights(nowMs: number): void {
    this.#nextUpdateMs = nowMs + this.#updateMs;
    const { weights, knownCount } = this.#weightsAt(nowMs);
    this.#observer.onWeights(knownCount, weights.length - knownCount);
    const before = this.#weights;
    if (before?.every((weight, index) => weight === weights[index]) === true) return;
    this.#weights = weights;
    this.turns.update(this.#members.slots, weights);
    this.#draw = new MemberDraw({ ...this.#members, weights }, this.#random);
  }

  #weightsAt(nowMs: number): EffectiveWeights {
    const reported = Float64Array.from(this.#members.slots, (slot) =>
      this.#reported.weightAt(slot, nowMs),
    );
    return effectiveWeights(this.#members, reported);
  }

  /** An excluded endpoint whose turn comes loses it: it has just failed somebody. */
  #pickAllowed(exclude: readonly number[]): number {
    for (let turn = 0; turn < MAX_PASSED_TURNS; turn++) {
      const slot = this.turns.pick();
      if (slot === NO_SLOT || !exclude.includes(slot)) return slot;
    }
    const index = this.#draw.drawAllowed(exclude);
    return index === NO_INDEX ? NO_SLOT : (this.#members.slots[index] as number);
  }

  /** @param weight in requests per second; `NO_WEIGHT` where discovery decides */
  #reasonOf(index: number, weight: number, nowMs: number): string {
    const slot = this.#members.slots[index] as number;
    const reported = this.#reported.weightAt(slot, nowMs);
    const told = `reports ${this.#reported.utilization(slot).toFixed(2)} busy`;
    if (weight !== NO_WEIGHT) {
      return reported === NO_WEIGHT
        ? `${round(weight)}/s, the mean of the others: ${this.#silence(slot, nowMs)}`
        : `bears ${round(reported)}/s${this.#countsAs(reported, weight)}: ${told}`;
    }
    const given = `weight ${round(this.#members.weights[index] as number)} from discovery`;
    return `${given}: ${reported === NO_WEIGHT ? this.#silence(slot, nowMs) : `${told}, the only one that does`}`;
  }

  /** Where bounds or a warm-up make something else of a report. */
  #countsAs(reported: number, weight: number): string {
    return Math.abs(weight / reported - 1) > 0.01 ? `, counts as ${round(weight)}/s` : '';
  }

  #silence(slot: number, nowMs: number): string {
    const blackoutMs = this.#reported.blackoutMs(slot, nowMs);
    if (blackoutMs === Number.POSITIVE_INFINITY) return 'no load report yet';
    return blackoutMs > 0
      ? `its reports count in ${(blackoutMs / 1_000).toFixed(1)} s`
      : 'its last load report is too old';
  }
}

function round(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
