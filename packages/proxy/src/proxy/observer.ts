/** What is observed of requests, as a configuration says. */
import type { ProxyConfig } from '../config/proxy-config.ts';
import type { Observer } from '../engine/request-account.ts';
import { RequestTracer } from '../observability/trace-context/request-tracer.ts';

export function observerOf(
  { requestId, tracing, serverTiming }: Pick<ProxyConfig, 'requestId' | 'tracing' | 'serverTiming'>,
  parts: Pick<Observer, 'runtime' | 'unrouted' | 'log' | 'usage'>,
): Observer {
  const traceHeader = tracing?.responseHeader;
  return {
    ...parts,
    identifies: requestId,
    tracer: tracing && new RequestTracer(tracing, parts.runtime.random),
    hop: serverTiming || traceHeader !== undefined ? { serverTiming, traceHeader } : undefined,
  };
}
