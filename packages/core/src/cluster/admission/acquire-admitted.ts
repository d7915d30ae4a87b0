import { PickError } from '../../error/pick-error.ts';
import { Outcome } from '../../model/outcome.ts';
import { NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Admission } from '../../resilience/admission.ts';
import type { Criticality } from '../../resilience/load-shedder.ts';
import type { Cluster, Lease } from '../face.ts';
import { AdmittedLease } from './admitted-lease.ts';

/** Endpoints that are asked before the request is refused. When so many are full, so are the others. */
const MAX_ASKED = 32;

export interface AdmittedRequest {
  readonly context: PickContext;
  readonly criticality: Criticality | undefined;
}

/**
 * Admits a request, and takes a lease on the first endpoint that lets it in.
 *
 * @throws AdmissionError when it is refused, PickError when there is nobody to pick; nothing is held then
 */
export function acquireAdmitted(
  cluster: Cluster,
  admission: Admission,
  { context, criticality }: AdmittedRequest,
): Lease {
  const nowMs = cluster.nowMs();
  const refusal = admission.admit(nowMs, criticality);
  if (refusal !== undefined) throw refusal;
  let refusedSlot = NO_SLOT;
  let current = context;
  for (let asked = 0; asked < MAX_ASKED; asked++) {
    const slot = cluster.pick(current, nowMs);
    const endpoint = cluster.endpoint(slot);
    if (endpoint === undefined) break;
    if (admission.enter(slot, nowMs)) {
      cluster.start(slot, nowMs);
      return new AdmittedLease(cluster, admission, { endpoint, slot, nowMs });
    }
    refusedSlot = slot;
    current = { ...current, exclude: [...(current.exclude ?? []), slot] };
  }
  // No try was made, so nothing was learnt.
  admission.complete(Outcome.cancelled, 0, nowMs, nowMs);
  if (refusedSlot !== NO_SLOT) throw admission.refusal(refusedSlot);
  throw new PickError(cluster.name, cluster.pickFailure());
}
