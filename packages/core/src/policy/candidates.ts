import type { PickContext } from '../model/pick-context.ts';
import type { CandidateExplanation } from './policy.ts';

/** How an excluded member stands, whatever the policy. */
export function excludedCandidate(slot: number): CandidateExplanation {
  return { slot, shareRatio: 0, reason: 'excluded by this request' };
}

/**
 * The explanation of a whole pick: allowed members as `explainAllowed` orders them, then the excluded ones.
 *
 * @param explainAllowed gets the positions in `slots` that may be picked
 */
export function explainCandidates(
  context: PickContext,
  slots: Int32Array,
  explainAllowed: (indexes: readonly number[]) => readonly CandidateExplanation[],
): readonly CandidateExplanation[] {
  const exclude = new Set(context.exclude);
  const allowed: number[] = [];
  const excluded: CandidateExplanation[] = [];
  slots.forEach((slot, index) => {
    if (exclude.has(slot)) excluded.push(excludedCandidate(slot));
    else allowed.push(index);
  });
  return [...explainAllowed(allowed), ...excluded];
}
