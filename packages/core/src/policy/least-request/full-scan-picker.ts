import { uniformBelow } from '../../algorithm/random-source.ts';
import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import { explainScores } from './explain-scores.ts';
import type { FailurePenalty } from './failure-penalty.ts';
import type { LoadScore } from './load-score.ts';

/**
 * The least loaded of all members, in O(n) while all are busy. Among several of the lowest score every one is as likely:
 * drawn at random until one is met, or counted, chosen by number and found in a second scan.
 *
 * With weights, a member drawn by weight is the incumbent and keeps the request unless the best of all is better by the
 * rule of {@link LoadScore}; otherwise idle endpoints would all lose to the heaviest.
 */
export class FullScanPicker implements Picker {
  readonly #members: Members;
  readonly #active: Int32Array;
  readonly #penalty: FailurePenalty;
  readonly #score: LoadScore;
  readonly #random: Random;
  readonly #draw: MemberDraw;

  constructor({ members, active, penalty, score, random }: FullScanPickerParts) {
    this.#members = members;
    this.#active = active;
    this.#penalty = penalty;
    this.#score = score;
    this.#random = random;
    this.#draw = new MemberDraw(members, random);
  }

  pick({ exclude = NOTHING }: PickContext, nowMs: number): number {
    const { slots } = this.#members;
    const incumbent = this.#score.plain ? NO_INDEX : this.#draw.drawAllowed(exclude);
    if (incumbent !== NO_INDEX && this.#score.weightsOnly) return slots[incumbent] as number;
    const best = this.#least(exclude, nowMs);
    if (best === NO_INDEX) return NO_SLOT;
    const stays = incumbent !== NO_INDEX && !this.#score.isBetter(best, incumbent, nowMs);
    return slots[stays ? incumbent : best] as number;
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    return explainScores(context, this.#members, {
      score: this.#score,
      nowMs,
      shares: (indexes, scores) => this.#shares(indexes, scores, nowMs),
    });
  }

  #least(exclude: readonly number[], nowMs: number): number {
    if (exclude.length > 0 || !this.#score.plain || nowMs < this.#penalty.endsMs) {
      return this.#leastScore(exclude, nowMs);
    }
    const lowest = this.#leastActive();
    const { slots } = this.#members;
    const active = this.#active;
    // Of many ties one is soon met at random; only few are worth counting.
    for (let attempt = 0; attempt < MAX_DRAWS && slots.length > 0; attempt++) {
      const index = this.#draw.draw();
      if (active[slots[index] as number] === lowest) return index;
    }
    return this.#anyWith(lowest);
  }

  /** One of the members with so many requests in flight, each as likely. */
  #anyWith(count: number): number {
    const { slots } = this.#members;
    const active = this.#active;
    let ties = 0;
    for (let index = 0; index < slots.length; index++) {
      if (active[slots[index] as number] === count) ties++;
    }
    let left = ties > 1 ? uniformBelow(this.#random, ties) : 0;
    for (let index = 0; index < slots.length; index++) {
      if (active[slots[index] as number] === count && left-- === 0) return index;
    }
    return NO_INDEX;
  }

  /** Fewest requests in flight on a member. None at all ends the search. */
  #leastActive(): number {
    const { slots } = this.#members;
    const active = this.#active;
    let lowest = MAX_INT32;
    for (let index = 0; index < slots.length && lowest > 0; index++) {
      const own = active[slots[index] as number] as number;
      if (own < lowest) lowest = own;
    }
    return lowest;
  }

  /** As {@link #least} with weights, penalties or exclusions. */
  #leastScore(exclude: readonly number[], nowMs: number): number {
    const { slots } = this.#members;
    const score = this.#score;
    let lowest = Number.POSITIVE_INFINITY;
    let ties = 0;
    for (let index = 0; index < slots.length; index++) {
      const own = score.of(index, nowMs);
      if (own > lowest || exclude.includes(slots[index] as number)) continue;
      ties = own < lowest ? 1 : ties + 1;
      lowest = own;
    }
    let left = ties > 1 ? uniformBelow(this.#random, ties) : 0;
    for (let index = 0; index < slots.length; index++) {
      if (score.of(index, nowMs) !== lowest || exclude.includes(slots[index] as number)) continue;
      if (left-- === 0) return index;
    }
    return NO_INDEX;
  }

  /** The best score's group takes what every incumbent yields; the incumbents keep the rest. */
  #shares(indexes: readonly number[], scores: readonly number[], nowMs: number): readonly number[] {
    const score = this.#score;
    const sum = indexes.reduce((total, index) => total + score.weight(index), 0);
    const p = indexes.map((index) => score.weight(index) / sum);
    if (score.weightsOnly) return p;
    const best = indexes[0] as number;
    const group = scores.filter((own) => own === scores[0]).length;
    const kept = indexes.map((index, rank) =>
      score.plain || score.isBetter(best, index, nowMs) ? 0 : (p[rank] as number),
    );
    const yielded = 1 - kept.reduce((total, share) => total + share, 0);
    return kept.map((share, rank) => (rank < group ? share + yielded / group : share));
  }
}

const NOTHING: readonly number[] = [];
const MAX_INT32 = 2_147_483_647;
/** With a tie of half of all members, 1 pick in 65,536 has to count after all. */
const MAX_DRAWS = 16;

export interface FullScanPickerParts {
  readonly members: Members;
  /** Of the load table, by slot. */
  readonly active: Int32Array;
  readonly penalty: FailurePenalty;
  readonly score: LoadScore;
  readonly random: Random;
}
