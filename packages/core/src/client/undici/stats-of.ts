import type { ExchangeCounters } from './exchange-host.ts';
import type { Route } from './route.ts';
import type { DispatcherStats } from './stats.ts';

interface StatsSource {
  readonly runningCount: number;
  readonly routes: readonly Route[];
  readonly counters: ExchangeCounters;
  readonly retryBudget: number;
}

export function statsOf({
  runningCount,
  routes,
  counters,
  retryBudget,
}: StatsSource): DispatcherStats {
  return {
    runningCount,
    waitingCount: routes.reduce((sum, route) => sum + route.waitingCount, 0),
    ...counters,
    retryBudget,
    pools: routes.flatMap((route) =>
      [...route.pools()].map(([endpoint, { origin, pool }]) => {
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
      }),
    ),
  };
}
