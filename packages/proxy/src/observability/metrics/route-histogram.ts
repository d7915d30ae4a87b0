import { Histogram, type Registry } from 'prom-client';
import { LATENCY_BOUNDS_MS } from '../route-meter.ts';
import type { RouteSeries } from './route-series.ts';

/** What prom-client asks a histogram for. */
type HistogramData = Awaited<ReturnType<Histogram['get']>>;
type HistogramValue = HistogramData['values'][number];

export interface RouteHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
  readonly read: () => Iterable<RouteSeries>;
}

/**
 * A histogram whose buckets are counted elsewhere: prom-client can only observe single values, which would cost every
 * request a call. Its registry asks for `getForPromString()` where there is one, else for `get()`.
 */
export class RouteHistogram extends Histogram {
  readonly #options: RouteHistogramOptions;

  constructor(options: RouteHistogramOptions) {
    const { name, help, registry } = options;
    super({ name, help, labelNames: ['route', 'cluster'], registers: [registry] });
    this.#options = options;
  }

  override get(): Promise<HistogramData> {
    const { name, help, read } = this.#options;
    const values = Array.from(read()).flatMap((series) => valuesOf(name, series));
    return Promise.resolve({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values,
    } as unknown as HistogramData);
  }

  getForPromString(): Promise<HistogramData> {
    return this.get();
  }
}

/** Cumulative buckets in seconds, then sum and count, as the exposition format has them. */
function valuesOf(name: string, series: RouteSeries): HistogramValue[] {
  const { route, cluster, latencyCounts, latencySumMs } = series;
  const labels = { route, cluster };
  const values: HistogramValue[] = [];
  let cumulative = 0;
  LATENCY_BOUNDS_MS.forEach((boundMs, index) => {
    cumulative += latencyCounts[index] ?? 0;
    values.push({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: boundMs / 1_000 },
      value: cumulative,
    });
  });
  const count = cumulative + (latencyCounts[LATENCY_BOUNDS_MS.length] ?? 0);
  values.push(
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: latencySumMs / 1_000 },
    { metricName: `${name}_count`, labels, value: count },
  );
  return values;
}
