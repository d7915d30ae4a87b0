/** What a dispatcher shows of itself. */
import type { CookieAffinityStats } from '../../affinity/cookie-affinity.ts';
import type { RetryVerdict } from '../../resilience/retry-policy.ts';

/** All clusters together, and each. Counts are since the start. */
export interface DispatcherStats {
  /** Requests accepted and not yet answered to the end. */
  readonly runningCount: number;
  /** Of those, requests that wait for discovery. */
  readonly waitingCount: number;
  /** Tries that followed a failed one. */
  readonly retryCount: number;
  /** Retries that the budget refused. */
  readonly retryRefusedCount: number;
  /** Tries beside one that was late. */
  readonly hedgeCount: number;
  /** Of those, the ones that answered first. */
  readonly hedgeWinCount: number;
  /** Hedges that the budget refused. */
  readonly hedgeRefusedCount: number;
  /** Requests that ended because their deadline passed. */
  readonly deadlineCount: number;
  /** Requests, tries and waits that the cluster's admission refused. */
  readonly admissionRefusedCount: number;
  /** Requests that a fallback answered. */
  readonly fallbackCount: number;
  /** Retries and hedges that the budgets would allow now. */
  readonly retryBudget: number;
  readonly clusters: readonly ClusterEntry[];
  readonly pools: readonly PoolEntry[];
}

/** One cluster; the same words as for all of them. */
export interface ClusterEntry extends Omit<DispatcherStats, 'clusters' | 'pools'> {
  readonly cluster: string;
  /** What was said when a failed try might have been followed by another. */
  readonly retryVerdicts: Readonly<Record<RetryVerdict, number>>;
  /** How clients with a cookie fared; undefined without cookie affinity. */
  readonly affinity: CookieAffinityStats | undefined;
  /** Open connections. */
  readonly connectionCount: number;
  /** Requests that wait for a connection. */
  readonly pendingCount: number;
}

/** The connections of one endpoint under one name. */
export interface PoolEntry {
  readonly cluster: string;
  readonly endpoint: string;
  readonly origin: string;
  /** Open connections. */
  readonly connected: number;
  /** Open connections that are free. */
  readonly free: number;
  /** Requests that wait for a connection. */
  readonly pending: number;
  /** Requests on a connection. */
  readonly running: number;
}
