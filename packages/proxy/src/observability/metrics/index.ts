/** `@evenkeel/proxy/metrics`: Prometheus metrics of proxies; needs the package `prom-client`. */
export {
  createProxyMetrics,
  type MetricsRegistry,
  type ProxyMetrics,
  type ProxyMetricsOptions,
} from './proxy-metrics.ts';
export type {
  MeteredCertificate,
  MeteredFile,
  MeteredFileStatus,
  MeteredProxy,
} from './metered.ts';
