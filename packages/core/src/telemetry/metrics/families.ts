/**
 * Every metric: its name, what it means, and where its values come from. The names and labels are public; they follow
 * Prometheus' naming rules: base units, counters end in `_total`, one meaning per label.
 */
import type { EndpointSnapshot, GroupSnapshot } from '../../cluster/face.ts';
import type { HealthState } from '../../model/health-state.ts';
import { isFailure, Outcome, OUTCOME_NAMES } from '../../model/outcome.ts';
import { ADMISSION_FAMILIES } from './admission-families.ts';
import type { ClusterReading } from './cluster-meter.ts';
import { counter, type Family, gauge } from './family.ts';
import { POLICY_FAMILIES } from './policy-families.ts';

type WatchStatus = NonNullable<ClusterReading['snapshot']['discovery']['watch']>;

/** Name and meaning of the one histogram. */
export const DURATION_HISTOGRAM = {
  name: 'cluster_request_duration_seconds',
  help: 'Time from the start of a request to the first byte of a good answer.',
} as const;

/** All states, so that a state nobody is in shows as 0. */
const STATES: readonly HealthState[] = [
  'healthy',
  'degraded',
  'unchecked',
  'unhealthy',
  'ejected',
  'circuit-open',
  'draining',
  'disabled',
];

const CLUSTER_FAMILIES: readonly Family[] = [
  counter(
    'cluster_requests_total',
    'Finished requests by outcome, those to endpoints that have left included.',
    {
      labels: ['outcome'],
      read: ({ snapshot }, emit) => {
        for (const outcome of OUTCOME_NAMES) emit(snapshot.totals.outcomes[outcome], outcome);
      },
    },
  ),
  {
    ...gauge('cluster_requests_active', 'Requests in flight.', {
      read: ({ snapshot }, emit) => emit(snapshot.totals.activeCount),
    }),
    aggregator: 'sum',
  },
  gauge('cluster_endpoints', 'Endpoints by state.', {
    labels: ['state'],
    read: ({ snapshot }, emit) => {
      const counts = new Map<HealthState, number>();
      for (const { state } of snapshot.endpoints) counts.set(state, (counts.get(state) ?? 0) + 1);
      for (const state of STATES) emit(counts.get(state) ?? 0, state);
    },
  }),
  gauge(
    'cluster_endpoints_eligible',
    'Endpoints that may be picked now: the healthy ones, or in panic nearly all.',
    {
      read: ({ snapshot }, emit) => emit(snapshot.eligibleCount),
    },
  ),
  gauge(
    'cluster_endpoints_unlabelled',
    'Endpoints without series of their own, because too many came before them.',
    {
      read: ({ unlabelledCount }, emit) => emit(unlabelledCount),
    },
  ),
  gauge('cluster_ready', '1 once discovery has delivered endpoints, 0 before.', {
    read: ({ snapshot }, emit) => emit(Number(snapshot.ready)),
  }),
  gauge(
    'cluster_panic',
    '1 while so few endpoints are healthy that health is ignored, otherwise 0.',
    {
      read: ({ snapshot }, emit) => emit(Number(snapshot.panic)),
    },
  ),
  gauge(
    'cluster_group_share_ratio',
    'Part of the requests for its subset that a group of endpoints gets.',
    { labels: ['group'], read: perGroup(({ shareRatio }) => shareRatio) },
  ),
  gauge(
    'cluster_group_unasked_share_ratio',
    'Part of the requests that name no subset that a group of endpoints gets.',
    { labels: ['group'], read: perGroup(({ unaskedShareRatio }) => unaskedShareRatio) },
  ),
  gauge('cluster_group_endpoints', 'Endpoints of a group that may be picked now.', {
    labels: ['group'],
    read: perGroup(({ eligibleCount }) => eligibleCount),
  }),
  gauge('cluster_group_panic', '1 while health is ignored in a group, otherwise 0.', {
    labels: ['group'],
    read: perGroup(({ kind }) => Number(kind === 'panic')),
  }),
  gauge('cluster_subsets_left_out', 'Subsets beyond as many as there may be, which have nobody.', {
    read: ({ snapshot }, emit) => emit(snapshot.subsetsLeftOutCount),
  }),
  counter('cluster_panics_total', 'Times that panic began in a group.', {
    read: ({ events }, emit) => emit(events.panicCount),
  }),
  counter(
    'cluster_ejections_total',
    'Decisions of outlier detection to eject; enforced says if it was carried out.',
    {
      labels: ['detector', 'enforced'],
      read: ({ events }, emit) => {
        for (const { detector, enforced, count } of events.ejections.values())
          emit(count, detector, String(enforced));
      },
    },
  ),
  counter(
    'cluster_health_changes_total',
    'Changes of state of single endpoints, by the new state.',
    {
      labels: ['state'],
      read: ({ events }, emit) => {
        for (const state of STATES) emit(events.healthChanges.get(state) ?? 0, state);
      },
    },
  ),
  counter(
    'cluster_membership_changes_total',
    'Endpoints that discovery added, updated or removed.',
    {
      labels: ['change'],
      read: ({ events }, emit) => {
        emit(events.addedCount, 'added');
        emit(events.updatedCount, 'updated');
        emit(events.removedCount, 'removed');
      },
    },
  ),
];

const DISCOVERY_FAMILIES: readonly Family[] = [
  gauge(
    'discovery_healthy',
    '1 if the last look at the source of endpoints succeeded, otherwise 0.',
    {
      labels: ['kind'],
      read: ({ snapshot: { discovery } }, emit) => emit(Number(discovery.healthy), discovery.kind),
    },
  ),
  counter('discovery_refreshes_total', 'Looks at the source of endpoints.', {
    labels: ['kind'],
    read: ({ snapshot: { discovery } }, emit) => emit(discovery.refreshCount, discovery.kind),
  }),
  counter('discovery_errors_total', 'Looks at the source of endpoints that failed.', {
    labels: ['kind'],
    read: ({ snapshot: { discovery } }, emit) => emit(discovery.errorCount, discovery.kind),
  }),
  gauge(
    'discovery_last_success_age_seconds',
    'Time since a look at the source last succeeded; absent before the first.',
    {
      labels: ['kind'],
      read: ({ snapshot: { discovery }, nowMs }, emit) => {
        if (discovery.lastSuccessMs === undefined) return;
        emit(Math.max(0, nowMs - discovery.lastSuccessMs) / 1000, discovery.kind);
      },
    },
  ),
  counter('discovery_resyncs_total', 'Whole readings of a registry besides the first.', {
    labels: ['kind'],
    read: perWatch(({ resyncCount }) => resyncCount),
  }),
  counter(
    'discovery_silences_total',
    'Watches on a registry given up because it had said nothing for too long.',
    { labels: ['kind'], read: perWatch(({ silenceCount }) => silenceCount) },
  ),
  counter(
    'discovery_guard_trips_total',
    'Times that many endpoints vanished from a registry at once and were kept for a second look.',
    { labels: ['kind'], read: perWatch(({ guardTripCount }) => guardTripCount) },
  ),
  gauge(
    'discovery_endpoints_held',
    'Endpoints kept although a registry no longer lists them, until a second look.',
    { labels: ['kind'], read: perWatch(({ heldCount }) => heldCount) },
  ),
  gauge(
    'discovery_restored',
    '1 while the last known good set from disk is used, because the registry has not answered yet.',
    { labels: ['kind'], read: perWatch(({ restored }) => Number(restored)) },
  ),
];

const ENDPOINT_FAMILIES: readonly Family[] = [
  counter('endpoint_requests_total', 'Finished requests of an endpoint.', {
    labels: ['endpoint'],
    read: perEndpoint(({ startedCount, activeCount }) => startedCount - activeCount),
  }),
  counter(
    'endpoint_failures_total',
    'Finished requests of an endpoint whose outcome speaks against it.',
    {
      labels: ['endpoint'],
      read: perEndpoint(failuresOf),
    },
  ),
  {
    ...gauge('endpoint_requests_active', 'Requests in flight on an endpoint.', {
      labels: ['endpoint'],
      read: perEndpoint(({ activeCount }) => activeCount),
    }),
    aggregator: 'sum',
  },
  gauge('endpoint_eligible', '1 if the endpoint may be picked now, otherwise 0.', {
    labels: ['endpoint'],
    read: perEndpoint(({ eligible }) => Number(eligible)),
  }),
  gauge(
    'endpoint_weight',
    'Relative share of the traffic that the endpoint is configured to take.',
    {
      labels: ['endpoint'],
      read: perEndpoint(({ weight }) => weight),
    },
  ),
  gauge(
    'endpoint_weight_factor',
    'What topology multiplies the weight by: slow start, the part of an aperture.',
    {
      labels: ['endpoint'],
      read: perEndpoint(({ weightFactor }) => weightFactor),
    },
  ),
];

/** All counters and gauges, in the order in which they are exposed. */
export const FAMILIES: readonly Family[] = [
  ...CLUSTER_FAMILIES,
  ...DISCOVERY_FAMILIES,
  ...ENDPOINT_FAMILIES,
  ...ADMISSION_FAMILIES,
  ...POLICY_FAMILIES,
];

/** Of sources that are registries; others have no watch. */
function perWatch(value: (watch: WatchStatus) => number): Family['read'] {
  return ({ snapshot: { discovery } }, emit) => {
    if (discovery.watch !== undefined) emit(value(discovery.watch), discovery.kind);
  };
}

function perEndpoint(valueOf: (endpoint: EndpointSnapshot) => number): Family['read'] {
  return ({ labelled }, emit) => {
    for (const endpoint of labelled) emit(valueOf(endpoint), endpoint.id);
  };
}

/** Groups beyond these have no series: a label that differs on every endpoint makes as many groups. */
const MAX_GROUPS = 100;

function perGroup(valueOf: (group: GroupSnapshot) => number): Family['read'] {
  return ({ snapshot }, emit) => {
    for (const group of snapshot.groups.slice(0, MAX_GROUPS)) emit(valueOf(group), group.name);
  };
}

function failuresOf({ outcomes }: EndpointSnapshot): number {
  return OUTCOME_NAMES.reduce(
    (sum, name) => sum + (isFailure(Outcome[name]) ? outcomes[name] : 0),
    0,
  );
}
