import { type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client';
import { configError } from '../../error/config-error.ts';
import type { MeteredCluster } from './cluster-meter.ts';
import { MeterSet } from './meter-set.ts';
import { register } from './registration.ts';

/** A registry of prom-client, whichever text format it writes. */
export type MetricsRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

export interface MetricsOptions {
  /** Clusters to begin with. */
  readonly clusters?: readonly MeteredCluster[] | undefined;
  /** Where the metrics are registered. Default: a registry of their own, see {@link Metrics.registry}. */
  readonly registry?: MetricsRegistry | undefined;
  /** First word of every name: letters, digits and `_`, not beginning with a digit. Default `evenkeel`. */
  readonly prefix?: string | undefined;
  /**
   * How many endpoints of a cluster get series of their own (about five each): `true` for 100, `false` for none, or
   * 0..10,000. The first to come keep theirs until they leave. Default `true`.
   */
  readonly endpointLabels?: boolean | number | undefined;
}

/** Metrics of clusters, live until {@link Metrics.close}. */
export interface Metrics {
  /** `await registry.metrics()` is the text to serve, under `registry.contentType`. */
  readonly registry: MetricsRegistry;
  /** Adds a cluster. A closed cluster of the same name makes way. @throws ConfigError if an open one has the name */
  add(cluster: MeteredCluster): void;
  /** Takes a cluster's series away; does nothing for one that was never added. */
  remove(cluster: MeteredCluster): void;
  /** Takes everything out of the registry again and stops listening to the clusters. Idempotent. */
  close(): void;
}

const DEFAULT_MAX_ENDPOINTS = 100;
const MAX_ENDPOINTS = 10_000;

/**
 * Exposes clusters to Prometheus through prom-client. Nothing is done per request: each scrape reads what the clusters
 * count anyway.
 *
 * @example
 * const metrics = createMetrics({ clusters: [users] });
 * response.setHeader('content-type', metrics.registry.contentType);
 * response.end(await metrics.registry.metrics());
 *
 * @throws ConfigError for a bad prefix or limit, and for two clusters of one name
 * @throws Error of prom-client when the registry already has metrics under these names
 */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { clusters = [], registry = new Registry(), prefix = 'evenkeel' } = options;
  if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/.test(prefix)) {
    throw configError(
      'prefix',
      "up to 64 letters, digits or '_', not beginning with a digit",
      prefix,
    );
  }
  const meters = new MeterSet(endpointLimitOf(options.endpointLabels));
  for (const cluster of clusters) meters.add(cluster);
  const names = register({ registry: registry as Registry, prefix, meters });
  return {
    registry,
    add: (cluster) => meters.add(cluster),
    remove: (cluster) => meters.remove(cluster),
    close: () => {
      meters.close();
      for (const name of names.splice(0)) registry.removeSingleMetric(name);
    },
  };
}

function endpointLimitOf(labels: boolean | number = true): number {
  const limit = typeof labels === 'number' ? labels : labels ? DEFAULT_MAX_ENDPOINTS : 0;
  if (!Number.isInteger(limit) || limit < 0 || limit > MAX_ENDPOINTS) {
    throw configError(
      'endpointLabels',
      `true, false or an integer from 0 to ${MAX_ENDPOINTS}`,
      labels,
    );
  }
  return limit;
}
