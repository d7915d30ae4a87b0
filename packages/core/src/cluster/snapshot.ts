import type { ResolverStatus } from '../discovery/resolver.ts';
import type { ActiveHealthChecker, OutlierDetector } from '../health/health.ts';
import type { LoadTable } from '../model/load-table.ts';
import { Outcome, type OutcomeName } from '../model/outcome.ts';
import { ANY } from '../model/pick-context.ts';
import { admissionSnapshotOf } from './admission/admission-snapshot.ts';
import type { ClusterAdmission } from './admission/cluster-admission.ts';
import type { ClusterSnapshot, EndpointSnapshot, GroupSnapshot, LatencySnapshot } from './face.ts';
import type { PolicyStats } from '../policy/policy.ts';
import type { Member } from './member.ts';
import { eligibleSlots, type Publication } from './publication.ts';
import type { TopologyBook } from './topology-book.ts';

/** What a snapshot is taken of. */
export interface SnapshotSources {
  readonly name: string;
  readonly policy: string;
  readonly ready: boolean;
  readonly closed: boolean;
  readonly publication: Publication;
  readonly topology: TopologyBook;
  readonly members: Iterable<Member>;
  readonly load: LoadTable;
  readonly checker: ActiveHealthChecker | undefined;
  readonly outlier: OutlierDetector | undefined;
  readonly discovery: ResolverStatus;
  readonly policyStats: PolicyStats;
  readonly latency: LatencySnapshot;
  readonly admission: ClusterAdmission | undefined;
  readonly nowMs: number;
}

/** Everything about a cluster at this moment as plain data, fit for JSON. */
export function snapshotOf(sources: SnapshotSources): ClusterSnapshot {
  const { name, policy, ready, closed, publication, discovery, latency } = sources;
  const eligible = eligibleSlots(publication);
  return {
    name,
    policy,
    version: publication.version,
    ready,
    closed,
    panic: publication.panics.size > 0,
    healthyCount: publication.healthyCount,
    eligibleCount: eligible.size,
    groups: groupSnapshots(publication),
    subsetsLeftOutCount: publication.subsetsLeftOutCount,
    endpoints: Array.from(sources.members, (member) => endpointSnapshot(sources, member, eligible)),
    discovery,
    totals: {
      activeCount: sources.load.totalActiveCount(),
      outcomes: countsOf((outcome) => sources.load.totalFinishedCount(outcome)),
    },
    policyStats: sources.policyStats,
    latency,
    admission: sources.admission && admissionSnapshotOf(sources.admission, sources.nowMs),
  };
}

function groupSnapshots({ scopes, routing }: Publication): GroupSnapshot[] {
  return scopes.flatMap((scope) => {
    const unaskedRatio = routing.shareOf(scope, ANY);
    return scope.groups.map(({ id, priority, zone, kind, shareRatio, eligible }) => ({
      name: id,
      subset: scope.labels,
      priority,
      zone,
      kind,
      shareRatio,
      unaskedShareRatio: shareRatio * unaskedRatio,
      eligibleCount: eligible.slots.length,
    }));
  });
}

function endpointSnapshot(
  { load, checker, outlier, topology, admission }: SnapshotSources,
  member: Member,
  eligible: ReadonlySet<number>,
): EndpointSnapshot {
  const { slot, endpoint, state, reason } = member;
  return {
    id: endpoint.id,
    slot,
    endpoint,
    state,
    eligible: eligible.has(slot),
    reason,
    weight: endpoint.weight,
    weightFactor: topology.factorOf(member),
    activeCount: load.active[slot] ?? 0,
    startedCount: load.startedCount(slot),
    outcomes: countsOf((outcome) => load.finishedCount(slot, outcome)),
    activeCheck: checker?.status(slot),
    outlier: outlier?.status(slot),
    admission: admission?.guards?.at(slot)?.snapshot(),
  };
}

/** Written out: built key by key, these objects would double the time of a snapshot of 10,000 endpoints (2.6 ms). */
function countsOf(count: (outcome: Outcome) => number): Record<OutcomeName, number> {
  return {
    success: count(Outcome.success),
    serverError: count(Outcome.serverError),
    gatewayError: count(Outcome.gatewayError),
    overloaded: count(Outcome.overloaded),
    connectFailure: count(Outcome.connectFailure),
    reset: count(Outcome.reset),
    timeout: count(Outcome.timeout),
    cancelled: count(Outcome.cancelled),
  };
}
