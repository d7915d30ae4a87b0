/** Prometheus metrics: needs the package `prom-client`. */
export type { MeteredCluster } from './cluster-meter.ts';
export {
  createDispatcherMetrics,
  type DispatcherAffinityStats,
  type DispatcherClusterStats,
  type DispatcherMetrics,
  type DispatcherMetricsOptions,
  type MeteredDispatcher,
} from './dispatcher-metrics.ts';
export {
  createMetrics,
  type Metrics,
  type MetricsOptions,
  type MetricsRegistry,
} from './metrics.ts';
export {
  createRegistrationMetrics,
  type MeteredRegistration,
  type RegistrationMetrics,
  type RegistrationMetricsOptions,
} from './registration-metrics.ts';
