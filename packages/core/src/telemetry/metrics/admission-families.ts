/** Metrics of what clusters refuse. A cluster whose options refuse nothing has no such series. */
import type { ClusterReading } from './cluster-meter.ts';
import { counter, type Family, gauge } from './family.ts';

type AdmissionReading = NonNullable<ClusterReading['snapshot']['admission']>;

/** Thresholds that have a series, and the adaptive limit beside them. */
const THRESHOLDS = ['connections', 'pending', 'requests', 'retries'] as const;

export const ADMISSION_FAMILIES: readonly Family[] = [
  counter('admission_admitted_total', 'Requests that were let in.', {
    read: perAdmission(({ admittedCount }, emit) => emit(admittedCount)),
  }),
  counter('admission_refused_total', 'Requests that were refused, by the reason.', {
    labels: ['reason'],
    read: perAdmission(({ refused }, emit) => emitAll(refused, emit)),
  }),
  counter(
    'admission_tries_refused_total',
    'Tries that were refused at an endpoint, or as one too many of their kind, by the reason.',
    {
      labels: ['reason'],
      read: perAdmission(({ triesRefused }, emit) => emitAll(triesRefused, emit)),
    },
  ),
  {
    ...gauge('admission_requests_active', 'Requests that were let in and have not ended.', {
      read: perAdmission(({ activeCount }, emit) => emit(activeCount)),
    }),
    aggregator: 'sum',
  },
  gauge('admission_limit', 'Limits at present, by what they limit.', {
    labels: ['limit'],
    read: perLimit(({ limit }) => limit),
  }),
  {
    ...gauge('admission_limit_used', 'How much of a limit is in use.', {
      labels: ['limit'],
      read: perLimit(({ activeCount }) => activeCount),
    }),
    aggregator: 'sum',
  },
  gauge('admission_shed_level', 'Classes of criticality that load shedding refuses, 0 to 4.', {
    read: perAdmission(({ shedLevel }, emit) => {
      if (shedLevel !== undefined) emit(shedLevel);
    }),
  }),
  gauge('admission_throttle_ratio', 'Part of the requests that client throttling refuses.', {
    read: perAdmission(({ throttleRatio }, emit) => {
      if (throttleRatio !== undefined) emit(throttleRatio);
    }),
  }),
  gauge('circuit_breakers', 'Circuit breakers by whose they are and their state.', {
    labels: ['scope', 'state'],
    read: perAdmission(({ circuit, endpointCircuits }, emit) => {
      for (const state of CIRCUIT_STATES) {
        if (circuit !== undefined) emit(Number(circuit.state === state), 'cluster', state);
        if (endpointCircuits !== undefined) emit(endpointCircuits[state], 'endpoint', state);
      }
    }),
  }),
  counter('circuit_changes_total', 'Changes of state of circuit breakers, by the new state.', {
    labels: ['scope', 'state'],
    read: ({ events }, emit) => {
      for (const { scope, state, count } of events.circuitChanges.values())
        emit(count, scope, state);
    },
  }),
];

const CIRCUIT_STATES = ['closed', 'open', 'half-open'] as const;

function perAdmission(
  read: (admission: AdmissionReading, emit: Parameters<Family['read']>[1]) => void,
): Family['read'] {
  return ({ snapshot: { admission } }, emit) => {
    if (admission !== undefined) read(admission, emit);
  };
}

function perLimit(
  value: (limit: { readonly limit: number; readonly activeCount: number }) => number,
): Family['read'] {
  return perAdmission(({ thresholds, concurrency }, emit) => {
    if (thresholds !== undefined) {
      for (const name of THRESHOLDS) emit(value(thresholds[name]), name);
    }
    if (concurrency !== undefined) emit(value(concurrency), 'concurrency');
  });
}

function emitAll(
  counts: Readonly<Record<string, number>>,
  emit: Parameters<Family['read']>[1],
): void {
  for (const [label, count] of Object.entries(counts)) emit(count, label);
}
