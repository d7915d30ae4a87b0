/** How one cluster's requests are retried, hedged and limited in time: the rules, and what they have counted. */
import { DeadlinePolicy, NO_DEADLINE } from '../../resilience/deadline.ts';
import { HedgePolicy } from '../../resilience/hedge-policy.ts';
import { RetryBudget } from '../../resilience/retry-budget.ts';
import { RetryPolicy } from '../../resilience/retry-policy.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { RouteConfig } from './route-options.ts';

/** What exchanges count besides what the policies count themselves. */
export interface ExchangeCounters {
  /** Requests accepted and not yet answered to the end. */
  runningCount: number;
  hedgeWinCount: number;
  deadlineCount: number;
  admissionRefusedCount: number;
  fallbackCount: number;
}

export class RouteRules {
  /** One for all that is sent beyond first tries. */
  readonly budget: RetryBudget;
  readonly retry: RetryPolicy;
  readonly hedge: HedgePolicy | undefined;
  readonly deadlines: DeadlinePolicy;
  /** Time for a request, or infinity. */
  readonly totalMs: number;
  /** Time for one try that its request does not limit itself, or infinity. */
  readonly tryLimitMs: number;
  readonly holdResponseBytes: number;
  readonly criticalityOf: RouteConfig['criticalityOf'];
  readonly subsetOf: RouteConfig['subsetOf'];
  readonly fallback: RouteConfig['fallback'];
  readonly affinity: RouteConfig['affinity'];
  /** Does the choice of an endpoint depend on what the request says? */
  readonly looksAtRequests: boolean;
  readonly counters: ExchangeCounters = {
    runningCount: 0,
    hedgeWinCount: 0,
    deadlineCount: 0,
    admissionRefusedCount: 0,
    fallbackCount: 0,
  };
  readonly #perTryMs: number;

  constructor(route: RouteConfig, headersTimeoutMs: number, { random }: Pick<Runtime, 'random'>) {
    const { minTryMs, perTryTimeoutMs = NO_DEADLINE, totalMs = NO_DEADLINE } = route.deadline;
    const budget = new RetryBudget(route.retry.budget);
    this.budget = budget;
    this.retry = new RetryPolicy(route.retry, { random, budget, minTryMs });
    this.hedge =
      route.hedge === undefined ? undefined : new HedgePolicy(route.hedge, { budget, minTryMs });
    this.deadlines = new DeadlinePolicy(route.deadline);
    this.totalMs = totalMs;
    this.#perTryMs = perTryTimeoutMs;
    this.tryLimitMs = this.tryLimitOf(headersTimeoutMs);
    this.holdResponseBytes = route.holdResponseBytes;
    this.criticalityOf = route.criticalityOf;
    this.fallback = route.fallback;
    this.subsetOf = route.subsetOf;
    this.affinity = route.affinity;
    this.looksAtRequests =
      route.cluster.hashKeySource !== undefined ||
      route.affinity !== undefined ||
      route.subsetOf !== undefined;
  }

  /** Time for one try. @param headersTimeoutMs 0 for none */
  tryLimitOf(headersTimeoutMs: number): number {
    return Math.min(this.#perTryMs, headersTimeoutMs > 0 ? headersTimeoutMs : NO_DEADLINE);
  }
}
