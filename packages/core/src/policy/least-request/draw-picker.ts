import type { Members } from '../../model/members.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Random } from '../../runtime/random.ts';
import { MemberDraw, NO_INDEX } from '../member-draw.ts';
import type { CandidateExplanation, Picker } from '../policy.ts';
import { rankShares, uniformTail } from '../rank-shares.ts';
import { explainScores } from './explain-scores.ts';
import type { LoadScore } from './load-score.ts';

/** Up to here `explain` works out shares that need every pair of members. */
const MAX_EXPLAINED_PAIRS = 300;

/** The general case: several draws, or weights. The first two draws differ, further ones may repeat. */
export class DrawPicker implements Picker {
  readonly #members: Members;
  readonly #score: LoadScore;
  readonly #draw: MemberDraw;
  readonly #choiceCount: number;

  constructor({ members, score, random, choiceCount }: DrawPickerParts) {
    this.#members = members;
    this.#score = score;
    this.#draw = new MemberDraw(members, random);
    this.#choiceCount = choiceCount;
  }

  pick({ exclude }: PickContext, nowMs: number): number {
    const { slots } = this.#members;
    const draw = this.#draw;
    if (exclude !== undefined || slots.length === 0)
      return this.#pickAllowed(exclude ?? NOTHING, nowMs);
    const score = this.#score;
    let best = draw.draw();
    for (let choice = 1; choice < this.#choiceCount; choice++) {
      const other = choice === 1 ? draw.drawOther(best) : draw.draw();
      if (score.isBetter(other, best, nowMs)) best = other;
    }
    return slots[best] as number;
  }

  explain(context: PickContext, nowMs: number): readonly CandidateExplanation[] {
    return explainScores(context, this.#members, {
      score: this.#score,
      nowMs,
      shares: (indexes, scores) => this.#shares(indexes, { scores, nowMs }),
    });
  }

  #pickAllowed(exclude: readonly number[], nowMs: number): number {
    const draw = this.#draw;
    let best = draw.drawAllowed(exclude);
    if (best === NO_INDEX) return NO_SLOT;
    for (let choice = 1; choice < this.#choiceCount; choice++) {
      const other = choice === 1 ? draw.drawOtherAllowed(best, exclude) : draw.drawAllowed(exclude);
      if (this.#score.isBetter(other, best, nowMs)) best = other;
    }
    return this.#members.slots[best] as number;
  }

  #shares(
    indexes: readonly number[],
    { scores, nowMs }: { readonly scores: readonly number[]; readonly nowMs: number },
  ): readonly number[] | undefined {
    const count = indexes.length;
    if (this.#score.plain) return rankShares(scores, uniformTail(count, this.#choiceCount));
    const sum = indexes.reduce((total, index) => total + this.#score.weight(index), 0);
    const p = indexes.map((index) => this.#score.weight(index) / sum);
    if (this.#score.weightsOnly) return p;
    return this.#choiceCount === 2 && count <= MAX_EXPLAINED_PAIRS
      ? this.#pairShares(indexes, p, nowMs)
      : undefined;
  }

  /** Every ordered pair: the first drawn with p_a, the second with p_b / (1 - p_a), and the rule decides. */
  #pairShares(indexes: readonly number[], p: readonly number[], nowMs: number): readonly number[] {
    if (indexes.length === 1) return [1];
    const shares = indexes.map(() => 0);
    indexes.forEach((first, a) =>
      indexes.forEach((second, b) => {
        if (a === b) return;
        const pa = p[a] as number;
        const winner = this.#score.isBetter(second, first, nowMs) ? b : a;
        shares[winner] = (shares[winner] as number) + (pa * (p[b] as number)) / (1 - pa);
      }),
    );
    return shares;
  }
}

const NOTHING: readonly number[] = [];

export interface DrawPickerParts {
  readonly members: Members;
  readonly score: LoadScore;
  readonly random: Random;
  readonly choiceCount: number;
}
