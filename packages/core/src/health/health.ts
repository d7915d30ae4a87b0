/**
 * The contracts of health: who watches endpoints, and how the cluster hears of it. The cluster owns the flags of
 * `model/health-state.ts`; a checker and a detector only report.
 */
import type { Endpoint } from '../model/endpoint.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Runtime } from '../runtime/runtime.ts';

export interface HealthEnvironment {
  /** The cluster's name, for logs and for spreading checks. */
  readonly cluster: string;
  readonly runtime: Runtime;
}

/** An endpoint with its slot. */
export interface TrackedEndpoint {
  readonly slot: number;
  readonly endpoint: Endpoint;
}

/** Active checks of a cluster's endpoints. */
export interface ActiveHealthChecker {
  /** Takes the whole set to check; endpoints that stay keep their state and their rhythm. */
  update(endpoints: readonly TrackedEndpoint[]): void;
  /** Undefined for a slot that is not checked. */
  status(slot: number): ActiveHealthStatus | undefined;
  /** Stops all checks and closes their connections. Idempotent. */
  close(): Promise<void>;
}

export interface ActiveHealthListener {
  /** Called when a slot becomes healthy, degraded or unhealthy, the first verdict included. */
  onActiveHealth(slot: number, verdict: ActiveHealthVerdict): void;
}

export interface ActiveHealthVerdict {
  readonly healthy: boolean;
  /** It works, and asks to be spared. Default false. */
  readonly degraded?: boolean;
  /** "HTTP 503", "connect ECONNREFUSED", "timed out after 1000 ms", "HTTP 200". */
  readonly reason: string;
}

export interface ActiveHealthStatus {
  /** Undefined until the first verdict. */
  readonly healthy: boolean | undefined;
  readonly reason: string;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
  readonly checkCount: number;
  readonly failureCount: number;
  /** Duration of the last check. */
  readonly lastDurationMs: number | undefined;
}

/** Passive health: watches outcomes and ejects what stands out. */
export interface OutlierDetector {
  /** Takes all current members; forgets the others. A slot that passed to another endpoint begins anew. */
  update(members: readonly TrackedEndpoint[]): void;
  /** A request to a slot ended. On the request path: no allocation unless something happens. */
  record(slot: number, outcome: Outcome, nowMs: number): void;
  /** An active check gave a verdict on a slot: a success may bring it back. */
  onActiveHealth(slot: number, healthy: boolean): void;
  /** A slot that waits for its single trial request, or `NO_SLOT`. The pick path reads this field on every pick. */
  readonly trialSlot: number;
  /** Claims the trial: `trialSlot` moves on. The outcome recorded next for that slot decides. */
  takeTrial(nowMs: number): number;
  status(slot: number): OutlierStatus | undefined;
  /** Cancels timers. Idempotent. */
  close(): void;
}

export interface OutlierListener {
  /** A slot is ejected for `durationMs`. */
  onEject(slot: number, ejection: Ejection): void;
  /** A slot may be picked again. */
  onReturn(slot: number, how: EjectionReturn): void;
  /** A slot would have been ejected, but a limit or an enforcement percentage forbade it. */
  onEjectionSkipped(slot: number, ejection: SkippedEjection): void;
}

/** Who may call for an ejection. Stable names, in events and metrics. `trial-failed`: an ejected one failed its test. */
export type OutlierDetectorName =
  | 'consecutive-failures'
  | 'gateway-failures'
  | 'connect-failures'
  | 'local-origin-failures'
  | 'success-rate'
  | 'local-origin-success-rate'
  | 'failure-percentage'
  | 'local-origin-failure-percentage'
  | 'trial-failed';

export interface Ejection {
  /** The detector that spoke. */
  readonly detector: OutlierDetectorName;
  /** For humans: "5 failures in a row (last: gatewayError)". */
  readonly reason: string;
  readonly durationMs: number;
  /** How often this slot was ejected in short succession, this time included. */
  readonly count: number;
}

/** An ejection that was decided and not carried out. */
export interface SkippedEjection extends Ejection {
  /** `limit`: too many are ejected already. `not-enforced`: the enforcement percentage said no. */
  readonly skippedBecause: 'limit' | 'not-enforced';
}

/** What ended an ejection: a trial request, an active check, or the time alone. */
export type EjectionReturn = 'trial' | 'active-check' | 'time';

export interface OutlierStatus {
  readonly ejected: boolean;
  readonly ejection: Ejection | undefined;
  /** Clock time at which the ejection ends. */
  readonly untilMs: number | undefined;
  /** Ejections in short succession that are not yet forgiven. */
  readonly ejectionCount: number;
  /** How often this endpoint was to be ejected and was not: the limit was reached, or enforcement said no. */
  readonly skippedCount: number;
  readonly consecutiveFailures: number;
  /** What was counted in the last full interval. Undefined while members are not compared. */
  readonly lastInterval: IntervalStatus | undefined;
}

/** Requests of one endpoint in one interval; cancelled and overloaded ones are left out. */
export interface IntervalStatus {
  readonly successCount: number;
  readonly failureCount: number;
}
