import type { RetryBudget } from '../../resilience/retry-budget.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { DispatcherConfig } from './options.ts';

/** What a dispatcher offers to the exchanges that run in it. */
export interface ExchangeHost {
  readonly runtime: Runtime;
  readonly config: DispatcherConfig;
  readonly budget: RetryBudget;
  readonly counters: ExchangeCounters;
  /** True once the dispatcher was destroyed: no further try is made. */
  readonly destroyed: boolean;
  /** An exchange has come to its end. */
  ended(): void;
}

/** What exchanges count for `stats`. */
export interface ExchangeCounters {
  /** Tries beyond the first of a request. */
  retryCount: number;
  /** Retries that the budget refused. */
  retryRefusedCount: number;
}
