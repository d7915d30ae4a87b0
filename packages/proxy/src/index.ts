/** `@evenkeel/proxy`: a proxy in the process for HTTP, gRPC, TCP and UDP, balanced by clusters of `@evenkeel/core`. */
export type { AccessLogOptions } from './config/access-log-options.ts';
export type { AdminListenOptions } from './config/admin-options.ts';
export type { ClientLimitOptions } from './config/client-limit-options.ts';
export type { Http2Options, UpstreamHttp2Options } from './config/http2-options.ts';
export type {
  HttpOptions,
  ListenerOptions,
  ProxyLimits,
  ProxyOptions,
  ProxyTimeouts,
  UpstreamOptions,
} from './config/options.ts';
export type {
  BufferOptions,
  FaultAbortOptions,
  FaultDelayOptions,
  FaultOptions,
  MirrorOptions,
  RouteFeatureOptions,
} from './config/route-feature-options.ts';
export type {
  CertificateMatchOptions,
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
export type { TracingOptions } from './config/tracing-options.ts';
export type { FilterCommonOptions, FilterOptions } from './filter/filter-list.ts';
export type { FilterKindName, FilterOptionsByKind } from './filter/registry.ts';
export { hashPassword } from './filter/basic-auth/password-hash.ts';
export type { ProxyCounters } from './engine/counters.ts';
export type { Refusal, RefusalCounts } from './engine/refusal.ts';
export type { ProxyStats, UpstreamStats } from './observability/proxy-stats.ts';
export type { RouteMeter } from './observability/route-meter.ts';
export type {
  RequestSpan,
  SpanRecorder,
  TracedClient,
  TracedResult,
  TracedTry,
  TrySpan,
} from './observability/trace-context/spans.ts';
export type { TraceContext } from './observability/trace-context/trace-context.ts';
export type { TcpCounters } from './tcp/tcp-counters.ts';
export type { UdpCounters } from './udp/udp-counters.ts';
export type { TcpStats, UdpStats } from './proxy/layer4.ts';
export type { ApplyReport, Changes } from './proxy/apply-report.ts';
export type { ApplyOptions, Layer4Stats, Proxy } from './proxy/face.ts';
export type { ExplainedRequest, RequestExplanation } from './proxy/explain-request.ts';
export type { FilterReport } from './proxy/filter-plan.ts';
export { createProxy } from './proxy/proxy.ts';
export { openProxyFile, type ProxyFilePorts } from './proxy/file/proxy-file.ts';
export type { ProxyFile, ProxyFileOptions, ProxyFileStatus } from './proxy/file/face.ts';
export {
  decodeProxyFile,
  type DecodedProxyFile,
  type ProxyFileParts,
} from './config/file/decode-proxy-file.ts';
export { proxyJsonSchema, type ProxyJsonSchemaOptions } from './config/file/proxy-file-schema.ts';
export type { CertificateStatus, ListenerCertificates } from './proxy/certificates.ts';
