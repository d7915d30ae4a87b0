import { uniformBelow } from '../../algorithm/random-source.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { explainCandidates } from '../candidates.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';

/** One member after the other, by ascending slot and around. */
export class RoundRobinPicker implements Picker {
  readonly #slots: Int32Array;
  /** Position of the next member in `slots`. */
  #next: number;

  /** Slot whose turn it was when there last were members. */
  readonly #turnBefore: number;

  /**
   * @param slots ascending
   * @param earlier of the same group: its turn goes on. Without one it begins anywhere: beginning at the first, a fleet
   *   of clients that start together would march in step.
   */
  constructor(slots: Int32Array, random: Random, earlier?: RoundRobinPicker) {
    this.#slots = slots;
    this.#turnBefore = earlier?.turnSlot ?? NO_SLOT;
    this.#next =
      this.#turnBefore === NO_SLOT
        ? uniformBelow(random, slots.length)
        : positionFrom(slots, this.#turnBefore);
  }

  /** Slot whose turn it is, or was when there last were members; `NO_SLOT` when there never were any. */
  get turnSlot(): number {
    return this.#slots[this.#next] ?? this.#turnBefore;
  }

  pick(context: PickContext): number {
    const slots = this.#slots;
    if (context.exclude !== undefined) return this.#pickAllowed(context.exclude);
    const index = this.#next;
    if (index >= slots.length) return NO_SLOT;
    this.#next = index + 1 === slots.length ? 0 : index + 1;
    return slots[index] as number;
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const count = this.#slots.length;
    return explainCandidates(context, this.#slots, (indexes) =>
      indexes
        .map((index) => {
          const turns = (index - this.#next + count) % count;
          const reason = turns === 0 ? 'its turn' : `after ${turns} other${turns === 1 ? '' : 's'}`;
          return {
            slot: this.#slots[index] as number,
            score: turns,
            shareRatio: 1 / indexes.length,
            reason,
          };
        })
        .sort((a, b) => a.score - b.score),
    );
  }

  /** The turn goes to the next allowed member; those passed over have had theirs. */
  #pickAllowed(exclude: readonly number[]): number {
    const count = this.#slots.length;
    for (let step = 0; step < count; step++) {
      const index = (this.#next + step) % count;
      const slot = this.#slots[index] as number;
      if (exclude.includes(slot)) continue;
      this.#next = (index + 1) % count;
      return slot;
    }
    return NO_SLOT;
  }
}

/** Position of the first slot that is not below `slot`, around to 0. */
function positionFrom(slots: Int32Array, slot: number): number {
  return Math.max(
    0,
    slots.findIndex((candidate) => candidate >= slot),
  );
}
