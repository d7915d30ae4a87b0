import type { Members } from '../../model/members.ts';
import type { PickContext } from '../../model/pick-context.ts';
import { explainCandidates } from '../candidates.ts';
import type { CandidateExplanation } from '../policy.ts';
import { rankShares, uniformTail, weightedPairShares } from '../rank-shares.ts';
import { fallbackScore } from './fallback-score.ts';
import type { ProbeGroup } from './probe-group.ts';
import { NONE } from './probe-pool.ts';
import type { PrequalShared } from './shared.ts';

export interface PoolSources {
  readonly context: PickContext;
  readonly nowMs: number;
  readonly members: Members;
  readonly group: ProbeGroup;
  readonly shared: PrequalShared;
}

/** How a member stands: 0 cold, 1 hot, 2 without an answer. Within a rank the lower value is better. */
interface Standing {
  readonly index: number;
  readonly slot: number;
  readonly rank: number;
  readonly value: number;
  /** In the pool: among equals the first one wins. */
  readonly place: number;
  readonly reason: string;
}

/** The pool as the next pick sees it, then those of whom nothing is known. */
export function explainPool(sources: PoolSources): readonly CandidateExplanation[] {
  const { context, members } = sources;
  return explainCandidates(context, members.slots, (indexes) => {
    const pooled = indexes.map((index) => pooledStanding(sources, index));
    const known = pooled.filter((standing) => standing !== undefined);
    // As in a pick: with few answers there is little to compare.
    return known.length >= sources.group.minAnswers
      ? explainPooled(sources, indexes, known)
      : explainFallback(sources, indexes);
  });
}

function explainPooled(
  sources: PoolSources,
  indexes: readonly number[],
  known: readonly Standing[],
): readonly CandidateExplanation[] {
  const inPool = new Set(known.map(({ index }) => index));
  const others = indexes
    .filter((index) => !inPool.has(index))
    .map((index) => outside(sources, index));
  return [...known, ...others].sort(byStanding).map(({ slot, reason }, place) => ({
    slot,
    shareRatio: place === 0 ? 1 : 0,
    reason,
  }));
}

function explainFallback(
  sources: PoolSources,
  indexes: readonly number[],
): readonly CandidateExplanation[] {
  const { members, group } = sources;
  const ranked = indexes.map((index) => outside(sources, index)).sort(byStanding);
  const scores = ranked.map(({ value }) => value);
  const weights = ranked.map(({ index }) => members.weights[index] as number);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = group.draw.uniform
    ? rankShares(scores, uniformTail(scores.length, 2))
    : weightedPairShares(
        scores,
        weights.map((weight) => weight / sum),
      );
  return ranked.map(({ slot, value, reason }, place) => ({
    slot,
    score: value,
    shareRatio: shares[place] ?? 0,
    reason,
  }));
}

/** Undefined: no answer that counts. */
function pooledStanding(sources: PoolSources, index: number): Standing | undefined {
  const { nowMs, members, group, shared } = sources;
  const { pool, threshold } = group;
  const slot = members.slots[index] as number;
  const at = pool.indexOf(slot);
  if (at === NONE) return undefined;
  const ageMs = nowMs - (pool.receivedMs[at] as number);
  if (ageMs >= shared.config.maxAgeMs) return undefined;
  const own = shared.memory.concerns(nowMs) ? shared.memory.badness(slot, nowMs) : 1;
  const badness = Math.max(pool.badness[at] as number, own);
  const requests = group.requestsAt(at);
  const load = (group.loadOf(slot, requests) + 1) * badness - 1;
  const latencyMs = (pool.unitsMs[at] as number) * (Math.max(0, requests) + 1);
  const isHot = load > threshold.value;
  const parts = [
    isHot ? 'hot' : 'cold',
    `${round(Math.max(0, requests))} in flight there`,
    `${latencyMs.toFixed(1)} ms expected`,
  ];
  if (badness > 1.05) parts.push(`counts ${round(badness)}-fold for its errors`);
  parts.push(`told ${Math.max(0, ageMs).toFixed(0)} ms ago`);
  return {
    index,
    slot,
    rank: isHot ? 1 : 0,
    value: isHot ? load : latencyMs * badness,
    place: at,
    reason: parts.join(', '),
  };
}

function outside({ members, group, shared, nowMs }: PoolSources, index: number): Standing {
  const slot = members.slots[index] as number;
  const heldMs = shared.memory.heldMs(slot, nowMs);
  const successRatio = shared.memory.successRatio(slot, nowMs);
  const parts = [`${shared.load.active[slot] as number} in flight from here`, 'no fresh answer'];
  if (heldMs > 0) parts.unshift(`asked to be left alone for ${(heldMs / 1000).toFixed(1)} s more`);
  else if (successRatio < 0.995) parts.push(`success rate ${successRatio.toFixed(2)}`);
  return {
    index,
    slot,
    rank: 2,
    value: fallbackScore(slot, group, shared, nowMs),
    place: 0,
    reason: parts.join(', '),
  };
}

function byStanding(a: Standing, b: Standing): number {
  return a.rank - b.rank || a.value - b.value || a.place - b.place;
}

function round(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
