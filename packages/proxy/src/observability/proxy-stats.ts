import type { ProxyCounters } from '../engine/counters.ts';
import type { RouteMeter } from './route-meter.ts';

/** What a proxy counts, at one moment; the parts are live, so read them at once. */
export interface ProxyStats {
  readonly clientCount: number;
  readonly upstreamCount: number;
  readonly idleUpstreamCount: number;
  readonly counters: Readonly<ProxyCounters>;
  /** Requests per route and cluster, in the order of the configuration. The first is for those without a route. */
  readonly routes: readonly Readonly<RouteMeter>[];
  /** Connections to endpoints. */
  readonly upstreams: readonly UpstreamStats[];
  /** Lines of the access log that were given up, because nobody took them. */
  readonly droppedLogLineCount: number;
}

/** Connections to the endpoints of one cluster. */
export interface UpstreamStats {
  readonly cluster: string;
  readonly connectionCount: number;
  /** Those that wait for a request. */
  readonly idleCount: number;
}
