/** The public face of a cluster: all that transports, demos and users may lean on. */
import type { PickFailure } from '../error/pick-error.ts';
import type { ActiveHealthStatus, OutlierStatus } from '../health/health.ts';
import type { ResolverStatus } from '../discovery/resolver.ts';
import type { LoadReport } from '../load-report/load-report.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { HashKeySource } from '../model/hash-key-source.ts';
import type { HealthState } from '../model/health-state.ts';
import type { Outcome, OutcomeName } from '../model/outcome.ts';
import type { PickContext } from '../model/pick-context.ts';
import type { Admission } from '../resilience/admission.ts';
import type {
  AdmissionSnapshot,
  EndpointAdmissionSnapshot,
} from '../resilience/admission-snapshot.ts';
import type { Criticality } from '../resilience/load-shedder.ts';
import type { PolicyStats } from '../policy/policy.ts';
import type { ClusterEventListener } from '../telemetry/events.ts';

/** A named set of interchangeable endpoints with one brain: discovery, health and a policy. */
export interface Cluster {
  readonly name: string;
  /** Where clients find the affinity key in a request, if the options of the policy or of a split say. */
  readonly hashKeySource: HashKeySource | undefined;
  /**
   * What may refuse a request before it is sent, for transports on the raw path; undefined when the options name nothing
   * of the kind. {@link acquire} asks by itself.
   */
  readonly admission: Admission | undefined;

  /**
   * Resolves when the first endpoint set has arrived and, if the cluster waits for first checks, one has come back.
   * Rejects when the signal aborts or the cluster is closed.
   */
  ready(signal?: AbortSignal): Promise<void>;

  /**
   * Admits a request, picks an endpoint and counts a request on it. The lease must be finished exactly once.
   *
   * @param criticality for load shedding; default normal
   * @throws AdmissionError with the reason, when the request is refused; PickError when no endpoint may be picked
   */
  acquire(context?: PickContext, criticality?: Criticality): Lease;

  /**
   * The raw path for hot loops, free of allocation: pick, `start`, send, perhaps `respond`, `finish`. It does not ask
   * {@link admission}.
   * @returns a slot, or `NO_SLOT`; `pickFailure()` then says why
   */
  pick(context?: PickContext, nowMs?: number): number;
  /** Why {@link pick} returned `NO_SLOT` just now. */
  pickFailure(): PickFailure;
  start(slot: number, nowMs?: number): void;
  /** The first byte of a good answer came `latencyMs` after the start. At most once per request. */
  respond(slot: number, latencyMs: number, nowMs?: number): void;
  /** `latencyMs` since the start, or `RESPONDED` after {@link respond}. Four parameters: no allocation. */
  finish(slot: number, outcome: Outcome, latencyMs: number, nowMs?: number): void;
  /** The endpoint asked to be left alone for a while (Retry-After). */
  pushback(slot: number, delayMs: number, nowMs?: number): void;
  /** Does the policy use load reports? Otherwise transports need not read them. */
  readonly usesLoadReports: boolean;
  /** The endpoint told its load with an answer: `readLoadReport(headers)`. Before {@link finish}. */
  report(slot: number, report: LoadReport, nowMs?: number): void;

  /** The endpoint of a slot, also while it drains; undefined for a free slot. */
  endpoint(slot: number): Endpoint | undefined;
  /** How the endpoint of a slot stands; undefined for a free slot, and once the cluster is closed. */
  stateOf(slot: number): HealthState | undefined;
  /** Does the endpoint of a slot get traffic whatever its health, because too few beside it are healthy? */
  isInPanic(slot: number): boolean;
  /** The cluster's clock in milliseconds. */
  nowMs(): number;
  /** Everything about the cluster at this moment, as plain data. */
  snapshot(): ClusterSnapshot;
  /** Which endpoint a pick with this context would take, and why. Changes nothing. */
  explain(context?: PickContext): PickExplanation;
  /** Takes an endpoint out of rotation, or back. @throws ConfigError for an unknown id */
  setEnabled(endpointId: string, enabled: boolean): void;
  /**
   * Another weight for an endpoint than discovery lists, until it is taken back or the endpoint has left.
   *
   * @param weight 0..1,000,000, 0 for no new requests; undefined takes it back
   * @throws ConfigError for an unknown id or a wrong weight, and changes nothing
   */
  setWeight(endpointId: string, weight: number | undefined): void;
  /** Spares an endpoint: it gets traffic only when the healthy ones cannot take all. @throws ConfigError as above */
  setDegraded(endpointId: string, degraded: boolean): void;
  /**
   * Shifts traffic between the sides of `topology.split`; sides not named keep their weight.
   * @throws ConfigError for an unknown side or a wrong weight, and changes nothing
   */
  setSplit(weights: Readonly<Record<string, number>>): void;
  /** Hears every event of this cluster. @returns a function that ends the subscription */
  subscribe(listener: ClusterEventListener): () => void;
  /** Asks discovery to look again as soon as possible. */
  refresh(): void;
  /** Stops discovery and checks. Picks fail from now on, leases in flight may still finish. Idempotent. */
  close(): Promise<void>;
}

/** A request in flight on an endpoint. Ends once; later calls do nothing. */
export interface Lease {
  readonly endpoint: Endpoint;
  readonly slot: number;
  /** Cluster clock. */
  readonly startedAtMs: number;
  readonly finished: boolean;
  /** The first byte of a good answer has arrived. Leave it out and the end counts as the first byte. */
  respond(): void;
  /** The endpoint asked to be left alone for `delayMs`. */
  pushback(delayMs: number): void;
  /** The endpoint told its load with the answer. */
  report(report: LoadReport): void;
  finish(outcome: Outcome): void;
}

/** One endpoint in a snapshot. */
export interface EndpointSnapshot {
  readonly id: string;
  readonly slot: number;
  readonly endpoint: Endpoint;
  readonly state: HealthState;
  /** May it be picked now (healthy, or panic)? */
  readonly eligible: boolean;
  /** Why it is in this state. */
  readonly reason: string;
  readonly weight: number;
  /** What topology multiplies the weight by: slow start, the part of an aperture; 0 outside of the aperture. */
  readonly weightFactor: number;
  readonly activeCount: number;
  readonly startedCount: number;
  readonly outcomes: Readonly<Record<OutcomeName, number>>;
  readonly activeCheck: ActiveHealthStatus | undefined;
  readonly outlier: OutlierStatus | undefined;
  /** Undefined before its first try, and when nothing is refused per endpoint. */
  readonly admission: EndpointAdmissionSnapshot | undefined;
}

export interface ClusterSnapshot {
  readonly name: string;
  readonly policy: string;
  /** Grows with every publication. */
  readonly version: number;
  readonly ready: boolean;
  readonly closed: boolean;
  /** Is health ignored in a group that takes traffic? */
  readonly panic: boolean;
  readonly healthyCount: number;
  readonly eligibleCount: number;
  readonly endpoints: readonly EndpointSnapshot[];
  /** How topology divides the endpoints and the requests; one group where it does not. */
  readonly groups: readonly GroupSnapshot[];
  /** Subsets beyond the 256 that there may be: requests for them find nobody. */
  readonly subsetsLeftOutCount: number;
  readonly discovery: ResolverStatus;
  readonly totals: RequestTotals;
  /** Numbers that the policy keeps of itself; empty for most. */
  readonly policyStats: PolicyStats;
  readonly latency: LatencySnapshot;
  /** Limits, refusals, circuits; undefined when the cluster refuses nothing. */
  readonly admission: AdmissionSnapshot | undefined;
}

/** Endpoints that the policy chooses from as one. */
export interface GroupSnapshot {
  /** `priority 0`, `priority 0 eu/a`, `version=v2 priority 0 degraded`. */
  readonly name: string;
  /** Labels of its subset; undefined: everyone. */
  readonly subset: Readonly<Record<string, string>> | undefined;
  readonly priority: number;
  /** `region/zone`; undefined: all of them. */
  readonly zone: string | undefined;
  /** Who of them: the healthy ones, the degraded ones, or all, because health is ignored. */
  readonly kind: 'healthy' | 'degraded' | 'panic';
  /** Part of the requests for its subset, 0..1. */
  readonly shareRatio: number;
  /** Part of the requests that name no subset, 0..1. */
  readonly unaskedShareRatio: number;
  readonly eligibleCount: number;
}

/** Requests since the cluster was created. Those of endpoints that have left are included: the counts never fall. */
export interface RequestTotals {
  readonly activeCount: number;
  readonly outcomes: Readonly<Record<OutcomeName, number>>;
}

/** Distribution of times to the first byte, for a Prometheus histogram. */
export interface LatencySnapshot {
  /** Upper bounds in milliseconds, ascending; the last bucket is unbounded. */
  readonly boundsMs: readonly number[];
  /** One count more than there are bounds; not cumulative. */
  readonly counts: readonly number[];
  readonly sumMs: number;
  readonly count: number;
}

/** A candidate as `explain` shows it. */
export interface ExplainedCandidate {
  readonly id: string;
  readonly slot: number;
  readonly eligible: boolean;
  readonly state: HealthState;
  readonly score: number | undefined;
  readonly shareRatio: number | undefined;
  readonly reason: string;
}

/** One step on the way of a request. Where requests are drawn, the way is that of the largest share. */
export interface PathStep {
  readonly step: 'admission' | 'affinity' | 'subset' | 'priority' | 'locality' | 'policy';
  /** `admitted`, `key`, `version=v2`, `0`, `eu/a`, `peak-ewma`. */
  readonly choice: string;
  /** Part of the requests like this one, 0..1: of those that come to the step, and for a locality of its subset. */
  readonly shareRatio: number;
  readonly reason: string;
}

export interface PickExplanation {
  readonly cluster: string;
  readonly policy: string;
  readonly panic: boolean;
  /** The endpoint that a pick would take: certain for keyed policies, one fair draw for the others. */
  readonly chosen: Endpoint | undefined;
  /** In a sentence. */
  readonly reason: string;
  /** The way of the request, from the whole cluster down to the policy. */
  readonly path: readonly PathStep[];
  /** Best first, the ineligible ones last. At most 100. */
  readonly candidates: readonly ExplainedCandidate[];
  readonly candidateCount: number;
}
