import { type Cluster, NO_SLOT, type PickContext } from '@evenkeel/core';
import type { Admission } from '@evenkeel/core/resilience';

/** Endpoints that are asked whether they take a request, at most. */
const MAX_REFUSALS = 32;

/** Picks an endpoint that lets a request in. */
// oxlint-disable-next-line max-params -- per request: an object would be allocated
export function pickAdmitted(
  cluster: Cluster,
  admission: Admission | undefined,
  context: PickContext,
  nowMs: number,
): number {
  const slot = cluster.pick(context, nowMs);
  if (admission === undefined || slot === NO_SLOT || admission.enter(slot, nowMs)) return slot;
  const exclude = [...(context.exclude ?? []), slot];
  for (let refusals = 1; refusals < MAX_REFUSALS; refusals++) {
    const next = cluster.pick({ ...context, exclude }, nowMs);
    if (next === NO_SLOT || admission.enter(next, nowMs)) return next;
    exclude.push(next);
  }
  return NO_SLOT;
}
