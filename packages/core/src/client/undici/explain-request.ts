/** What a dispatcher would do with a request, and why: limits in time, further tries, affinity; then the cluster's part. */
import type { Dispatcher } from 'undici';
import type { PickExplanation } from '../../cluster/face.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { PickContext } from '../../model/pick-context.ts';
import { NO_DEADLINE } from '../../resilience/deadline.ts';
import { NO_HEDGE } from '../../resilience/hedge-policy.ts';
import { hashKeyOf } from './affinity.ts';
import { isIdempotent, isRepeatable } from './replay.ts';
import { isReplayable } from './request-body.ts';
import { requestHeader } from './request-headers.ts';
import { incomingTimeoutMs } from './request-timeout.ts';
import type { Route } from './route.ts';

/** A request as for `dispatch`. Default: GET of `/`. */
export type ExplainableRequest = Partial<Dispatcher.DispatchOptions> & {
  readonly origin: string | URL;
};

export interface RequestExplanation {
  readonly cluster: string;
  /** Where a first try would go: certain with a cookie or a key, otherwise one fair draw. */
  readonly chosen: Endpoint | undefined;
  /** What surrounds the choice of an endpoint. */
  readonly steps: readonly RequestStep[];
  /** How the cluster chooses, if the cookie does not; undefined for a cluster that cannot say. */
  readonly pick: PickExplanation | undefined;
}

/** One decision about a request. */
export interface RequestStep {
  readonly step: 'deadline' | 'retry' | 'hedge' | 'cookie';
  /** `2000 ms`, `up to 2`, `after 40 ms`, `10.0.0.1:80`; `none` when it is off or does not apply. */
  readonly choice: string;
  readonly reason: string;
}

/** Changes nothing and counts nothing. */
export function explainRequest(
  route: Route,
  request: Dispatcher.DispatchOptions,
): RequestExplanation {
  const { cluster, rules } = route;
  const nowMs = cluster.nowMs();
  const { hashKeySource } = cluster;
  const context: PickContext = {
    hashKey: hashKeySource && hashKeyOf(hashKeySource, request),
    subset: rules.subsetOf?.(request),
    probe: isRepeatable(request),
  };
  const cookies = requestHeader(request.headers, 'cookie', '; ');
  const stay = rules.affinity?.explain?.(cookies, context);
  const pick = cluster.explain?.(context);
  return {
    cluster: route.name,
    chosen: stay?.endpoint ?? pick?.chosen,
    steps: [
      deadlineStep(route, request),
      retryStep(route, request, nowMs),
      hedgeStep(route, request, nowMs),
      ...(stay === undefined
        ? []
        : [{ step: 'cookie', choice: stay.endpoint?.id ?? 'none', reason: stay.reason } as const]),
    ],
    pick,
  };
}

function deadlineStep({ rules }: Route, request: Dispatcher.DispatchOptions): RequestStep {
  const { deadlines, totalMs } = rules;
  const incomingMs = deadlines.config.inherit ? incomingTimeoutMs(request) : undefined;
  const inherits = incomingMs !== undefined && incomingMs < totalMs;
  const limitMs = inherits ? incomingMs : totalMs;
  const { headersTimeout } = request;
  const tryLimitMs =
    headersTimeout === undefined || headersTimeout === null
      ? rules.tryLimitMs
      : rules.tryLimitOf(headersTimeout);
  let why = 'the options say so';
  if (inherits) why = 'the caller said so';
  else if (limitMs === NO_DEADLINE) why = 'the options set none';
  const perTry = tryLimitMs === NO_DEADLINE ? 'no limit for a try' : `each try ${tryLimitMs} ms`;
  return {
    step: 'deadline',
    choice: limitMs === NO_DEADLINE ? 'none' : `${limitMs} ms`,
    reason: `${why}; ${perTry}`,
  };
}

function retryStep(
  { rules }: Route,
  request: Dispatcher.DispatchOptions,
  nowMs: number,
): RequestStep {
  const { attempts } = rules.retry.config;
  if (attempts === 0) return { step: 'retry', choice: 'none', reason: 'switched off' };
  const limit = notRepeatable(request);
  const left = Math.floor(rules.budget.remaining(nowMs));
  return {
    step: 'retry',
    choice: `up to ${attempts}`,
    reason: `${limit === undefined ? '' : `${limit}: only while no endpoint has seen it; `}the budget has ${left} left`,
  };
}

function hedgeStep(
  { rules }: Route,
  request: Dispatcher.DispatchOptions,
  nowMs: number,
): RequestStep {
  const { hedge } = rules;
  if (hedge === undefined) return { step: 'hedge', choice: 'none', reason: 'switched off' };
  const limit = notRepeatable(request);
  if (limit !== undefined) return { step: 'hedge', choice: 'none', reason: limit };
  const delayMs = hedge.delayMs(nowMs);
  const { percentile, delayMs: fixedMs } = hedge.config;
  if (delayMs === NO_HEDGE)
    return { step: 'hedge', choice: 'none', reason: 'too few latencies are known yet' };
  const byPercentile = percentile !== undefined || fixedMs === undefined;
  return {
    step: 'hedge',
    choice: `after ${Math.round(delayMs)} ms`,
    reason: byPercentile ? `${percentile ?? 95} % of the requests take less` : 'the options say so',
  };
}

/** Why two endpoints must not see a request; undefined when they may. */
function notRepeatable(request: Dispatcher.DispatchOptions): string | undefined {
  if (!isIdempotent(request)) return `${request.method} is not idempotent`;
  return isReplayable(request.body) ? undefined : 'its body can be read only once';
}
