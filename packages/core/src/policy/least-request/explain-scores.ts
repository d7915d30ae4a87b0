import type { Members } from '../../model/members.ts';
import type { PickContext } from '../../model/pick-context.ts';
import { explainCandidates } from '../candidates.ts';
import type { CandidateExplanation } from '../policy.ts';
import type { LoadScore } from './load-score.ts';

/** How a picker's members stand by score. */
export interface ScoredExplanation {
  readonly score: LoadScore;
  readonly nowMs: number;
  /** Probabilities of the members at `indexes`, which come best first; undefined where they cannot be told. */
  readonly shares: (
    indexes: readonly number[],
    scores: readonly number[],
  ) => readonly number[] | undefined;
}

export function explainScores(
  context: PickContext,
  members: Members,
  { score, nowMs, shares }: ScoredExplanation,
): readonly CandidateExplanation[] {
  return explainCandidates(context, members.slots, (indexes) => {
    const ranked = [...indexes].sort((a, b) => score.of(a, nowMs) - score.of(b, nowMs) || a - b);
    const scores = ranked.map((index) => score.of(index, nowMs));
    const shareRatios = ranked.length === 0 ? [] : shares(ranked, scores);
    return ranked.map((index, rank): CandidateExplanation => {
      const shareRatio = shareRatios?.[rank];
      const weight = score.plain ? '' : `, weight ${score.weight(index)}`;
      const penalty = score.penalty(index, nowMs);
      const failed = penalty === 0 ? '' : ` and ${penalty} for failures`;
      return {
        slot: members.slots[index] as number,
        score: scores[rank] as number,
        ...(shareRatio === undefined ? {} : { shareRatio }),
        reason: `${score.active(index)} in flight${failed}${weight}`,
      };
    });
  });
}
