import { uniformUnit } from '../../algorithm/random-source.ts';
import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { explainCandidates } from '../candidates.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import type { RoundRobinPicker } from './picker.ts';

/** Turns passed on in one pick; with factors of 10 % or more, 0.9^64 = 0.1 % of the picks come to that. */
const MAX_PASSED = 64;

/**
 * Turns while topology lets some members take only a part of theirs: one that is warming up keeps its turn with the
 * probability of its factor, and else passes it on to the next.
 */
export class ThinnedRoundRobinPicker implements Picker {
  readonly turns: RoundRobinPicker;
  readonly #slots: Int32Array;
  /** Probability, by slot, that a turn is kept: the factor relative to the largest. */
  readonly #keep: Float64Array;
  readonly #random: Random;

  constructor(turns: RoundRobinPicker, { slots, factors = ALL_ALIKE }: Members, random: Random) {
    this.turns = turns;
    this.#slots = slots;
    this.#random = random;
    this.#keep = new Float64Array((slots.at(-1) ?? NO_SLOT) + 1);
    const largest = factors.reduce((most, factor) => Math.max(most, factor), 0);
    slots.forEach((slot, index) => (this.#keep[slot] = (factors[index] ?? largest) / largest));
  }

  pick(context: PickContext): number {
    const { turns } = this;
    let slot = turns.pick(context);
    for (let passed = 0; passed < MAX_PASSED && slot !== NO_SLOT; passed++) {
      if (uniformUnit(this.#random) < (this.#keep[slot] as number)) break;
      slot = turns.pick(context);
    }
    return slot;
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const keep = this.#keep;
    return explainCandidates(context, this.#slots, (indexes) => {
      const slots = indexes.map((index) => this.#slots[index] as number);
      const sum = slots.reduce((total, slot) => total + (keep[slot] as number), 0);
      return slots
        .map((slot) => ({
          slot,
          shareRatio: (keep[slot] as number) / sum,
          reason: `keeps ${Math.round(100 * (keep[slot] as number))} % of its turns`,
        }))
        .sort((a, b) => b.shareRatio - a.shareRatio || a.slot - b.slot);
    });
  }
}

const ALL_ALIKE = new Float64Array(0);
