/** Meters of many routes as a bounded number of series. */
import { LATENCY_BOUNDS_MS, type RouteMeter } from '../route-meter.ts';

/** What is counted under one pair of labels. */
export interface RouteSeries {
  readonly route: string;
  readonly cluster: string;
  activeCount: number;
  retryCount: number;
  bytesIn: number;
  bytesOut: number;
  latencySumMs: number;
  /** By hundreds; 0 for requests that ended without a response. */
  readonly statusCounts: number[];
  readonly latencyCounts: number[];
}

/** Label of the routes beyond the limit. */
export const OTHER = 'other';

/**
 * Adds up meters by route and cluster, those of several proxies too. The first `limit` pairs get series of their own,
 * all others share one: the same ones as long as the configuration stays.
 */
export function routeSeries(
  meters: Iterable<Readonly<RouteMeter>>,
  limit: number,
): readonly RouteSeries[] {
  const byLabels = new Map<string, RouteSeries>();
  for (const meter of meters) {
    const { route, cluster } = meter;
    const key = `${route}\0${cluster}`;
    const own = byLabels.get(key);
    const series =
      own ??
      (byLabels.size < limit
        ? added(byLabels, key, { route, cluster })
        : (byLabels.get(OTHER) ?? added(byLabels, OTHER, { route: OTHER, cluster: OTHER })));
    addTo(series, meter);
  }
  return [...byLabels.values()];
}

function added(
  byLabels: Map<string, RouteSeries>,
  key: string,
  labels: { readonly route: string; readonly cluster: string },
): RouteSeries {
  const made = {
    ...labels,
    activeCount: 0,
    retryCount: 0,
    bytesIn: 0,
    bytesOut: 0,
    latencySumMs: 0,
    statusCounts: [],
    latencyCounts: LATENCY_BOUNDS_MS.map(() => 0),
  };
  byLabels.set(key, made);
  return made;
}

function addTo(series: RouteSeries, meter: Readonly<RouteMeter>): void {
  series.activeCount += meter.activeCount;
  series.retryCount += meter.retryCount;
  series.bytesIn += meter.bytesIn;
  series.bytesOut += meter.bytesOut;
  series.latencySumMs += meter.latencySumMs;
  addAll(series.statusCounts, meter.statusCounts);
  addAll(series.latencyCounts, meter.latencyCounts);
}

function addAll(sums: number[], counts: Float64Array): void {
  counts.forEach((count, index) => (sums[index] = (sums[index] ?? 0) + count));
}
