import { RETRY_VERDICTS, type RetryVerdict } from '../../resilience/retry-policy.ts';
import type { Route } from './route.ts';
import type { ClusterEntry, DispatcherStats, PoolEntry } from './stats.ts';

/** @param runningCount requests for other hosts are no part of it */
export function statsOf(
  runningCount: number,
  routes: readonly Route[],
  nowMs: number,
): DispatcherStats {
  const pools = routes.flatMap(poolsOf);
  const clusters = routes.map((route) => entryOf(route, pools, nowMs));
  const sum = (count: (entry: ClusterEntry) => number): number =>
    clusters.reduce((total, entry) => total + count(entry), 0);
  return {
    runningCount,
    waitingCount: sum((entry) => entry.waitingCount),
    retryCount: sum((entry) => entry.retryCount),
    retryRefusedCount: sum((entry) => entry.retryRefusedCount),
    hedgeCount: sum((entry) => entry.hedgeCount),
    hedgeWinCount: sum((entry) => entry.hedgeWinCount),
    hedgeRefusedCount: sum((entry) => entry.hedgeRefusedCount),
    deadlineCount: sum((entry) => entry.deadlineCount),
    admissionRefusedCount: sum((entry) => entry.admissionRefusedCount),
    fallbackCount: sum((entry) => entry.fallbackCount),
    retryBudget: sum((entry) => entry.retryBudget),
    clusters,
    pools,
  };
}

function entryOf(route: Route, pools: readonly PoolEntry[], nowMs: number): ClusterEntry {
  const { budget, retry, hedge, counters } = route.rules;
  const own = pools.filter(({ cluster }) => cluster === route.name);
  return {
    cluster: route.name,
    ...counters,
    waitingCount: route.waitingCount,
    retryCount: retry.count('retry'),
    retryRefusedCount: retry.count('budget'),
    hedgeCount: hedge?.hedgeCount ?? 0,
    hedgeRefusedCount: hedge?.refusedCount ?? 0,
    retryBudget: budget.remaining(nowMs),
    retryVerdicts: Object.fromEntries(
      RETRY_VERDICTS.map((verdict) => [verdict, retry.count(verdict)]),
    ) as Record<RetryVerdict, number>,
    affinity: route.rules.affinity?.stats?.(),
    connectionCount: own.reduce((total, { connected }) => total + connected, 0),
    pendingCount: own.reduce((total, { pending }) => total + pending, 0),
  };
}

function poolsOf(route: Route): PoolEntry[] {
  return [...route.pools()].map(([endpoint, { origin, pool }]) => {
    const { connected, free, pending, running } = pool.stats;
    return {
      cluster: route.name,
      endpoint: endpoint.id,
      origin,
      connected,
      free,
      pending,
      running,
    };
  });
}
