/** What a dispatcher shows of itself. */
export interface DispatcherStats {
  /** Requests accepted and not yet answered to the end. */
  readonly runningCount: number;
  /** Of those, requests that wait for discovery. */
  readonly waitingCount: number;
  /** Tries beyond the first, since the start. */
  readonly retryCount: number;
  /** Retries that the budget refused, since the start. */
  readonly retryRefusedCount: number;
  /** Retries that the budget would allow now. */
  readonly retryBudget: number;
  readonly pools: readonly PoolEntry[];
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
