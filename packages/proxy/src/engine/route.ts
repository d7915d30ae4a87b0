import type { Cluster } from '@evenkeel/core';
import type { RetryPolicy } from '@evenkeel/core/resilience';
import type { UpstreamPools } from './upstream-pools.ts';

/** A cluster as requests reach it. */
export interface Upstream {
  readonly cluster: Cluster;
  readonly pools: UpstreamPools;
}

/** Where requests of one kind go. */
export interface Route {
  readonly upstream: Upstream;
  readonly retry: RetryPolicy;
}

export interface RouteTable {
  /**
   * @param host as the client wrote it, port included; '' when it named none
   * @param path without the query
   */
  find(host: string, path: string): Route | undefined;
}
