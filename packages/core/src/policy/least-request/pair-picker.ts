import { firstOfTwo, secondOfTwo } from '../../algorithm/sample-two.ts';
import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import { rankShares, uniformTail } from '../rank-shares.ts';
import { explainScores } from './explain-scores.ts';
import type { FailurePenalty } from './failure-penalty.ts';
import type { LoadScore } from './load-score.ts';

/**
 * The power of two choices with equal weights: the common case, kept free of everything else. Two distinct members,
 * strictly fewer in flight wins, a tie goes to the first drawn. "First drawn" favours nobody, which comparing positions
 * would do; and the busiest of all is never picked.
 */
export class PairPicker implements Picker {
  readonly #members: Members;
  readonly #slots: Int32Array;
  readonly #active: Int32Array;
  readonly #penalty: FailurePenalty;
  readonly #score: LoadScore;
  readonly #random: Random;
  readonly #draw: MemberDraw;

  constructor({ members, active, penalty, score, random }: PairPickerParts) {
    this.#members = members;
    this.#slots = members.slots;
    this.#active = active;
    this.#penalty = penalty;
    this.#score = score;
    this.#random = random;
    this.#draw = new MemberDraw(members, random);
  }

  pick(context: PickContext, nowMs: number): number {
    const slots = this.#slots;
    const count = slots.length;
    if (count < 2 || context.exclude !== undefined || nowMs < this.#penalty.endsMs) {
      return this.#pickRare(context, nowMs);
    }
    const draw = this.#random.nextInt32();
    const a = firstOfTwo(draw, count);
    const first = slots[a] as number;
    const second = slots[secondOfTwo(draw, count, a)] as number;
    const active = this.#active;
    return (active[second] as number) < (active[first] as number) ? second : first;
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    return explainScores(context, this.#members, {
      score: this.#score,
      nowMs,
      shares: (_indexes, scores) => rankShares(scores, uniformTail(scores.length, 2)),
    });
  }

  /** Few members, some excluded, or some with penalties. */
  #pickRare({ exclude = NOTHING }: PickContext, nowMs: number): number {
    const first = this.#draw.drawAllowed(exclude);
    if (first === NO_INDEX) return NO_SLOT;
    const second = this.#draw.drawOtherAllowed(first, exclude);
    return this.#slots[this.#score.isBetter(second, first, nowMs) ? second : first] as number;
  }
}

const NOTHING: readonly number[] = [];

export interface PairPickerParts {
  readonly members: Members;
  /** Of the load table, by slot. */
  readonly active: Int32Array;
  readonly penalty: FailurePenalty;
  readonly score: LoadScore;
  readonly random: Random;
}
