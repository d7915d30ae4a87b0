import { Histogram, type Registry } from 'prom-client';
import type { LatencySnapshot } from '../../cluster/face.ts';

/** What prom-client asks a histogram for. */
type HistogramData = Awaited<ReturnType<Histogram['get']>>;
type HistogramValue = HistogramData['values'][number];

export interface DurationHistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
}

/** One cluster's part of the histogram. */
export interface LatencyReading {
  readonly cluster: string;
  readonly latency: LatencySnapshot;
}

/**
 * A histogram whose buckets are counted elsewhere. prom-client can only observe single values, which would cost every
 * request a call; this one hands over counts that the cluster keeps anyway, in the shape that prom-client's registry
 * expects of `get()` (its text output asks for `getForPromString()` where there is one).
 */
export class DurationHistogram extends Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #readings: () => Iterable<LatencyReading>;

  constructor(options: DurationHistogramOptions, readings: () => Iterable<LatencyReading>) {
    const { name, help, registry } = options;
    super({ name, help, labelNames: ['cluster'], registers: [registry] });
    this.#name = name;
    this.#help = help;
    this.#readings = readings;
  }

  override get(): Promise<HistogramData> {
    const name = this.#name;
    const values = Array.from(this.#readings()).flatMap((reading) => valuesOf(name, reading));
    return Promise.resolve({
      name,
      help: this.#help,
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
function valuesOf(name: string, { cluster, latency }: LatencyReading): HistogramValue[] {
  const values: HistogramValue[] = [];
  let cumulative = 0;
  latency.boundsMs.forEach((boundMs, index) => {
    cumulative += latency.counts[index] ?? 0;
    values.push({
      metricName: `${name}_bucket`,
      labels: { cluster, le: boundMs / 1000 },
      value: cumulative,
    });
  });
  values.push(
    { metricName: `${name}_bucket`, labels: { cluster, le: '+Inf' }, value: latency.count },
    { metricName: `${name}_sum`, labels: { cluster }, value: latency.sumMs / 1000 },
    { metricName: `${name}_count`, labels: { cluster }, value: latency.count },
  );
  return values;
}
