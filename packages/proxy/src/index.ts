/** `@evenkeel/proxy`: an HTTP/1.1 proxy in the process, balanced by clusters of `@evenkeel/core`. */
export type {
  HttpOptions,
  ListenerOptions,
  PathOptions,
  ProxyLimits,
  ProxyOptions,
  ProxyTimeouts,
  RouteOptions,
} from './config/options.ts';
export type { ProxyCounters } from './engine/counters.ts';
export { createProxy, type Proxy, type ProxyStats } from './proxy/proxy.ts';
