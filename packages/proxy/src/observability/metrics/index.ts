/** `@evenkeel/proxy/metrics`: Prometheus metrics of proxies; needs the package `prom-client`. */
export {
  createProxyMetrics,
  type MeteredProxy,
  type MetricsRegistry,
  type ProxyMetrics,
  type ProxyMetricsOptions,
} from './proxy-metrics.ts';
