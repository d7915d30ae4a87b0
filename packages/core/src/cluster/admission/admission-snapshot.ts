import type { AdmissionSnapshot, LimitSnapshot } from '../../resilience/admission-snapshot.ts';
import type { Threshold } from '../../resilience/thresholds.ts';
import type { ClusterAdmission } from './cluster-admission.ts';

/** The admission of a cluster at this moment as plain data. */
export function admissionSnapshotOf(admission: ClusterAdmission, nowMs: number): AdmissionSnapshot {
  const { thresholds, circuit, guards, shedder, throttle, rate } = admission;
  return {
    activeCount: admission.activeCount,
    admittedCount: admission.admittedCount,
    refused: { ...admission.refused },
    triesRefused: { ...admission.triesRefused },
    thresholds: thresholds && {
      connections: limitOf(thresholds.connections),
      pending: limitOf(thresholds.pending),
      requests: limitOf(thresholds.requests),
      retries: limitOf(thresholds.retries),
    },
    circuit: circuit?.snapshot(),
    endpointCircuits: guards?.circuitCounts(),
    concurrency: concurrencyOf(admission),
    utilisation: shedder && admission.utilisation(),
    shedLevel: shedder?.level,
    throttleRatio: throttle?.rejectRatio(nowMs),
    rateRemaining: rate?.remaining(nowMs),
  };
}

function concurrencyOf({ limiter, guards }: ClusterAdmission): AdmissionSnapshot['concurrency'] {
  if (limiter !== undefined)
    return { per: 'cluster', limit: limiter.limit, activeCount: limiter.inFlight };
  const limits = guards?.limits();
  return limits && { per: 'endpoint', ...limits };
}

function limitOf({ limit, active }: Threshold): LimitSnapshot {
  return { limit, activeCount: active };
}
