import { ConfigError } from '@evenkeel/core';
import {
  Counter,
  Gauge,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from 'prom-client';
import { FAMILIES } from './families.ts';
import type { Family, ProxyReading } from './family.ts';
import type { MeteredFile, MeteredProxy } from './metered.ts';
import { RouteHistogram } from './route-histogram.ts';
import { routeSeries } from './route-series.ts';

/** A registry of prom-client, whichever text format it writes. */
export type MetricsRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

export interface ProxyMetricsOptions {
  /** Proxies to begin with; the counts of several are added up. */
  readonly proxies?: readonly MeteredProxy[] | undefined;
  /** The same with the files that they are configured by: `openProxyFile` returns such. */
  readonly files?: readonly MeteredFile[] | undefined;
  /** Where the metrics are registered. Default: a registry of their own, see {@link ProxyMetrics.registry}. */
  readonly registry?: MetricsRegistry | undefined;
  /** First word of every name: letters, digits and `_`, not beginning with a digit. Default `evenkeel`. */
  readonly prefix?: string | undefined;
  /**
   * How many pairs of route and cluster get series of their own, about 25 each; those behind them in the configuration
   * share the labels `other`. 1..10,000, default 100.
   */
  readonly maxRoutes?: number | undefined;
}

/** Metrics of proxies, live until {@link ProxyMetrics.close}. */
export interface ProxyMetrics {
  /** `await registry.metrics()` is the text to serve, under `registry.contentType`. */
  readonly registry: MetricsRegistry;
  add(proxy: MeteredProxy | MeteredFile): void;
  /** Takes a proxy's counts away: best at the end of a process, because counters fall. */
  remove(proxy: MeteredProxy | MeteredFile): void;
  /** Takes everything out of the registry again. Idempotent. */
  close(): void;
}

const HISTOGRAM = {
  name: 'proxy_request_duration_seconds',
  help: 'From the head of a request to the end of its response; tunnels are left out.',
} as const;

/**
 * Exposes proxies to Prometheus through prom-client. Requests pay nothing for it: each scrape reads what the proxy
 * counts anyway.
 *
 * @example createProxyMetrics({ proxies: [proxy], registry: metrics.registry });
 * @throws ConfigError for a bad prefix or limit
 * @throws Error of prom-client when the registry already has metrics under these names
 */
export function createProxyMetrics(options: ProxyMetricsOptions = {}): ProxyMetrics {
  const { proxies = [], files = [], registry = new Registry() } = options;
  const { prefix = 'evenkeel', maxRoutes = 100 } = options;
  check(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/.test(prefix), {
    path: 'prefix',
    expected: "up to 64 letters, digits or '_', not beginning with a digit",
    actual: prefix,
  });
  check(Number.isInteger(maxRoutes) && maxRoutes >= 1 && maxRoutes <= 10_000, {
    path: 'maxRoutes',
    expected: 'an integer from 1 to 10000',
    actual: String(maxRoutes),
  });
  const metered = new Set<MeteredProxy | MeteredFile>([...proxies, ...files]);
  const names: string[] = [];
  const close = (): void => {
    metered.clear();
    for (const name of names.splice(0)) registry.removeSingleMetric(name);
  };
  const exposure = { prefix, registry: registry as Registry, read: reader(metered, maxRoutes) };
  try {
    names.push(exposeHistogram(exposure));
    for (const family of FAMILIES) names.push(expose(family, exposure));
  } catch (error) {
    // Half of the metrics would be worse than none.
    close();
    throw error;
  }
  return {
    registry,
    add: (proxy) => void metered.add(proxy),
    remove: (proxy) => void metered.delete(proxy),
    close,
  };
}

interface Exposure {
  readonly prefix: string;
  readonly registry: Registry;
  readonly read: () => ProxyReading;
}

/** A registry asks all its metrics in one go, so one reading serves until the running code yields. */
function reader(
  metered: ReadonlySet<MeteredProxy | MeteredFile>,
  maxRoutes: number,
): () => ProxyReading {
  let reading: ProxyReading | undefined;
  return () => {
    if (reading === undefined) {
      reading = readAll([...metered], maxRoutes);
      void Promise.resolve().then(() => (reading = undefined));
    }
    return reading;
  };
}

function readAll(
  metered: readonly (MeteredProxy | MeteredFile)[],
  maxRoutes: number,
): ProxyReading {
  const moments = metered.map((one) => {
    const proxy = 'status' in one ? one.proxy : one;
    return { proxy, stats: proxy.stats };
  });
  const meters = moments.flatMap(({ stats }) => stats.routes);
  return {
    moments,
    series: routeSeries(meters, maxRoutes),
    certificates: moments.flatMap(({ proxy }) => proxy.certificates ?? []),
    files: metered.flatMap((one) => ('status' in one ? [one.status] : [])),
  };
}

/** @returns the full name */
function expose(family: Family, { prefix, registry, read }: Exposure): string {
  const name = `${prefix}_${family.name}`;
  const { help, labels } = family;
  const Metric = family.type === 'counter' ? Counter : Gauge;
  new Metric({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    // Counters of prom-client can only be raised; starting over at every scrape makes them show what was read.
    collect(this: Counter | Gauge) {
      this.reset();
      family.read(read(), (value, ...values) => {
        this.inc(Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])), value);
      });
    },
  });
  return name;
}

function exposeHistogram({ prefix, registry, read }: Exposure): string {
  const name = `${prefix}_${HISTOGRAM.name}`;
  new RouteHistogram({ name, help: HISTOGRAM.help, registry, read: () => read().series });
  return name;
}

function check(holds: boolean, issue: ConfigError['issues'][number]): void {
  if (!holds) throw new ConfigError([issue]);
}
