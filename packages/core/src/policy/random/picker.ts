import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { explainCandidates } from '../candidates.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';

/** Any member, with a probability in proportion to its weight. */
export class RandomPicker implements Picker {
  readonly #members: Members;
  readonly #slots: Int32Array;
  readonly #draw: MemberDraw;

  constructor(members: Members, random: Random) {
    this.#members = members;
    this.#slots = members.slots;
    this.#draw = new MemberDraw(members, random);
  }

  pick(context: PickContext): number {
    const { exclude } = context;
    if (exclude !== undefined || this.#slots.length === 0) {
      const index = this.#draw.drawAllowed(exclude ?? []);
      return index === NO_INDEX ? NO_SLOT : (this.#slots[index] as number);
    }
    return this.#slots[this.#draw.draw()] as number;
  }

  explain(context: PickContext): readonly CandidateExplanation[] {
    const shares = this.#draw.probabilities(context.exclude);
    return explainCandidates(context, this.#slots, (indexes) =>
      indexes
        .map((index) => ({
          slot: this.#slots[index] as number,
          shareRatio: shares[index] as number,
          reason: `weight ${this.#members.weights[index] as number}`,
        }))
        .sort((a, b) => b.shareRatio - a.shareRatio || a.slot - b.slot),
    );
  }
}
