/** What the admin API shows, as plain data. Names of fields are stable; new ones may come. */
import type { ClusterSnapshot, EndpointSnapshot } from '@evenkeel/core';
import type { Proxy } from '../proxy/face.ts';
import { LATENCY_BOUNDS_MS, type RouteMeter } from '../observability/route-meter.ts';

/** One look at everything that changes: what the page asks for every second. */
export function overviewOf(proxy: Proxy): object {
  const { stats, addresses, options, certificates, filters } = proxy;
  return {
    isDraining: proxy.isDraining,
    listeners: options.listeners.map((listener, at) => ({
      listen: listener.listen,
      address: addresses[at],
      kinds: (['http', 'tcp', 'udp'] as const).filter((kind) => listener[kind] !== undefined),
      isSecure: listener.tls !== undefined,
    })),
    clientCount: stats.clientCount,
    upstreamCount: stats.upstreamCount,
    idleUpstreamCount: stats.idleUpstreamCount,
    counters: stats.counters,
    tcp: stats.tcp,
    udp: stats.udp,
    routes: stats.routes.map(routeView),
    clusters: options.clusters.map((cluster) => clusterView(cluster.snapshot())),
    certificates,
    filters: filters.map(({ place, name, kind }) => ({ place, name, kind })),
  };
}

export function routeView(meter: Readonly<RouteMeter>): object {
  const { route, cluster, activeCount, retryCount, bytesIn, bytesOut, latencySumMs } = meter;
  return {
    route,
    cluster,
    activeCount,
    retryCount,
    bytesIn,
    bytesOut,
    latencySumMs,
    statusCounts: Array.from(meter.statusCounts),
    latencyBoundsMs: LATENCY_BOUNDS_MS,
    latencyCounts: Array.from(meter.latencyCounts),
  };
}

export function clusterView(snapshot: ClusterSnapshot): object {
  const { name, policy, ready, panic, healthyCount, eligibleCount, totals, discovery } = snapshot;
  return {
    name,
    policy,
    isReady: ready,
    isInPanic: panic,
    healthyCount,
    eligibleCount,
    totals,
    discovery,
    endpoints: snapshot.endpoints.map(endpointView),
  };
}

export function endpointView(endpoint: EndpointSnapshot): object {
  const { id, state, eligible, reason, weight, weightFactor, activeCount, startedCount } = endpoint;
  return {
    id,
    state,
    isEligible: eligible,
    reason,
    weight,
    weightFactor,
    activeCount,
    startedCount,
    outcomes: endpoint.outcomes,
    locality: endpoint.endpoint.locality,
    metadata: endpoint.endpoint.metadata,
  };
}
