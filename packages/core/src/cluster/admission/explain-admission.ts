import { Criticality, CRITICALITY_NAMES } from '../../resilience/load-shedder.ts';
import type { PathStep } from '../face.ts';
import type { ClusterAdmission } from './cluster-admission.ts';

/** What would be done with a request of normal criticality now, and why. Changes nothing. */
export function explainAdmission(admission: ClusterAdmission, nowMs: number): PathStep {
  const refusal = refusalOf(admission, nowMs);
  if (refusal !== undefined)
    return { step: 'admission', choice: 'refused', shareRatio: 0, reason: refusal };
  const ratio = admission.throttle?.rejectRatio(nowMs) ?? 0;
  return {
    step: 'admission',
    choice: 'admitted',
    shareRatio: 1 - ratio,
    reason:
      ratio === 0
        ? `${admission.activeCount} in flight`
        : `client throttle refuses ${Math.round(ratio * 100)} %`,
  };
}

/** The first of the gates that is shut, in the order in which they are asked. */
function refusalOf(admission: ClusterAdmission, nowMs: number): string | undefined {
  const { thresholds, circuit, shedder, limiter, rate } = admission;
  if (thresholds?.requests.remaining === 0)
    return `threshold: ${thresholds.requests.active} requests in flight`;
  if (circuit?.state === 'open') return 'the circuit of the cluster is open';
  if (circuit !== undefined && !circuit.admits)
    return 'the circuit of the cluster is half-open, and its trial is under way';
  if (shedder !== undefined && Criticality.normal + shedder.level >= CRITICALITY_NAMES.length)
    return `load shedding: level ${shedder.level}, utilisation ${admission.utilisation().toFixed(2)}`;
  if (limiter?.remaining === 0)
    return `concurrency limit: ${limiter.inFlight} in flight, ${limiter.limit} allowed`;
  if (rate?.remaining(nowMs) === 0) return 'rate limit: no request left';
  return undefined;
}
