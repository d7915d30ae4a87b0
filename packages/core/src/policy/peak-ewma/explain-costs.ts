import type { Members } from '../../model/members.ts';
import type { PickContext } from '../../model/pick-context.ts';
import { explainCandidates } from '../candidates.ts';
import type { CandidateExplanation } from '../policy.ts';
import { rankShares, uniformTail, weightedPairShares } from '../rank-shares.ts';
import type { CostParts, CostReader } from './cost-reader.ts';
import type { EndpointState } from './endpoint-state.ts';

export interface CostSources {
  readonly context: PickContext;
  readonly nowMs: number;
  readonly members: Members;
  readonly state: EndpointState;
  readonly cost: CostReader;
  /** Do all members weigh the same? */
  readonly uniform: boolean;
}

interface Ranked extends CostParts {
  readonly index: number;
  readonly slot: number;
  /** How much longer the endpoint is to be left alone; 0: not at all. */
  readonly heldMs: number;
}

/**
 * Members by cost, those on hold last. Shares are those of the comparison of two; the picks that try an endpoint again
 * (at most 1 in 64) are left out.
 */
export function explainCosts(sources: CostSources): readonly CandidateExplanation[] {
  const { context, members } = sources;
  return explainCandidates(context, members.slots, (indexes) => {
    const ranked = indexes.map((index) => rankedOf(sources, index)).sort(byStanding);
    const open = ranked.filter(({ heldMs }) => heldMs === 0);
    // With everyone on hold the least bad is taken after all.
    const shares =
      open.length > 0 ? sharesOf(sources, open) : ranked.map((_, rank) => (rank === 0 ? 1 : 0));
    return ranked.map((candidate, rank) => ({
      slot: candidate.slot,
      score: candidate.costMs,
      shareRatio: shares[rank] ?? 0,
      reason: reasonOf(candidate),
    }));
  });
}

function rankedOf({ members, state, cost, nowMs }: CostSources, index: number): Ranked {
  const slot = members.slots[index] as number;
  const heldMs = Math.max(0, (state.heldUntilMs.values[slot] as number) - nowMs);
  return { ...cost.read(index, nowMs), index, slot, heldMs };
}

function byStanding(a: Ranked, b: Ranked): number {
  return Number(a.heldMs > 0) - Number(b.heldMs > 0) || a.costMs - b.costMs || a.slot - b.slot;
}

function sharesOf({ members, uniform }: CostSources, open: readonly Ranked[]): number[] {
  const scores = open.map(({ costMs }) => costMs);
  if (uniform) return rankShares(scores, uniformTail(open.length, 2));
  const weights = open.map(({ index }) => members.weights[index] as number);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weightedPairShares(
    scores,
    weights.map((weight) => weight / sum),
  );
}

function reasonOf({ heldMs, active, latencyMs, priceMs, ageMs, successRatio }: Ranked): string {
  if (heldMs > 0) return `asked to be left alone for ${(heldMs / 1000).toFixed(1)} s more`;
  const parts = [`${active} in flight`];
  parts.push(
    latencyMs === undefined
      ? `${priceMs.toFixed(1)} ms assumed`
      : `${latencyMs.toFixed(1)} ms average`,
  );
  if (successRatio < 0.995) parts.push(`success rate ${successRatio.toFixed(2)}`);
  if (ageMs > priceMs) parts.push(`no answer for ${ageMs.toFixed(0)} ms`);
  return parts.join(', ');
}
