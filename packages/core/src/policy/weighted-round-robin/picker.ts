import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { explainCandidates } from '../candidates.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import type { TurnOrder } from './turn-order.ts';

/** Turns passed over for the sake of excluded endpoints before one of the others is drawn by weight. */
const MAX_PASSED_TURNS = 8;

/** Turns in proportion to weight. */
export class WeightedRoundRobinPicker implements Picker {
  readonly turns: TurnOrder;
  readonly #members: Members;
  readonly #draw: MemberDraw;

  constructor(members: Members, turns: TurnOrder, random: Random) {
    this.turns = turns;
    this.#members = members;
    this.#draw = new MemberDraw(members, random);
  }

  pick(context: PickContext): number {
    return context.exclude === undefined ? this.turns.pick() : this.#pickAllowed(context.exclude);
  }

  /** Long-run shares. Whose turn is next cannot be told without taking it. */
  explain(context: PickContext): readonly CandidateExplanation[] {
    const { slots, weights } = this.#members;
    const shares = this.#draw.probabilities(context.exclude);
    return explainCandidates(context, slots, (indexes) =>
      indexes
        .map((index) => ({
          slot: slots[index] as number,
          shareRatio: shares[index] as number,
          reason: `weight ${weights[index] as number}`,
        }))
        .sort((a, b) => b.shareRatio - a.shareRatio || a.slot - b.slot),
    );
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
}
