/** A pick for requests that have somewhere else to go. */
import { type Cluster, NO_SLOT, Outcome, type PickContext } from '@evenkeel/core';
import type { Admission } from '@evenkeel/core/resilience';
import { pickAdmitted } from './admitted-pick.ts';

/**
 * When too few endpoints of a cluster are healthy, it spreads requests over all of them: better a bad chance than none.
 * With another cluster behind it there is a better one.
 *
 * @returns `NO_SLOT` also for an endpoint that would only be asked because health is ignored
 */
// oxlint-disable-next-line max-params -- as `pickAdmitted`
export function pickHealthy(
  cluster: Cluster,
  admission: Admission | undefined,
  context: PickContext,
  nowMs: number,
): number {
  const slot = pickAdmitted(cluster, admission, context, nowMs);
  if (slot === NO_SLOT || !cluster.isInPanic(slot)) return slot;
  const state = cluster.stateOf(slot);
  if (state === 'healthy' || state === 'degraded') return slot;
  admission?.leave(slot, Outcome.cancelled, 0, nowMs, nowMs);
  return NO_SLOT;
}
