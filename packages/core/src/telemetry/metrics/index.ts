/** Prometheus metrics: needs the package `prom-client`. */
export type { MeteredCluster } from './cluster-meter.ts';
export {
  createMetrics,
  type Metrics,
  type MetricsOptions,
  type MetricsRegistry,
} from './metrics.ts';
