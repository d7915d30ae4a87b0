/** `@evenkeel/proxy`: an HTTP/1.1 proxy in the process, balanced by clusters of `@evenkeel/core`. */
export type { AccessLogOptions } from './config/access-log-options.ts';
export type {
  HttpOptions,
  ListenerOptions,
  ProxyLimits,
  ProxyOptions,
  ProxyTimeouts,
  UpstreamOptions,
} from './config/options.ts';
export type {
  PathOptions,
  ValueMatchOptions,
  RedirectOptions,
  RespondOptions,
  RewriteOptions,
  RouteMatchOptions,
  RouteOptions,
  SplitSideOptions,
} from './config/route-options.ts';
export type {
  CertificateOptions,
  TlsOptions,
  TlsVersion,
  UpstreamTlsOptions,
} from './config/tls-options.ts';
export type { SniOptions, TcpOptions, UdpOptions } from './config/tcp-options.ts';
export type { ProxyCounters } from './engine/counters.ts';
export type { Refusal, RefusalCounts } from './engine/refusal.ts';
export type { ProxyStats, UpstreamStats } from './observability/proxy-stats.ts';
export type { RouteMeter } from './observability/route-meter.ts';
export type { TcpCounters } from './tcp/tcp-counters.ts';
export type { UdpCounters } from './udp/udp-counters.ts';
export type { TcpStats, UdpStats } from './proxy/layer4.ts';
export { createProxy, type Proxy } from './proxy/proxy.ts';
export type { CertificateStatus, ListenerCertificates } from './proxy/certificates.ts';
