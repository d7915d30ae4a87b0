/** Tries of a request as its trace hears of them. */
import type { RequestTrace } from '../observability/trace-context/request-tracer.ts';
import type { Attempt } from './attempt.ts';
import type { Upstream } from './route.ts';

/** An endpoint that is asked. */
export interface AskedEndpoint {
  readonly attempt: Attempt;
  readonly upstream: Upstream;
  readonly slot: number;
}

/** Begins the span of a try. @returns the message to send, which tells the endpoint which try it is */
export function traced(
  trace: RequestTrace,
  { attempt, upstream, slot }: AskedEndpoint,
  message: Buffer,
): Buffer {
  const { cluster, pools } = upstream;
  const resendCount = trace.tryCount;
  const span = trace.try({
    cluster: cluster.name,
    endpoint: cluster.endpoint(slot),
    isSecure: pools.isSecure,
    resendCount,
  });
  attempt.span = span;
  if (span === undefined) return message;
  // The bytes of a try before may be under way.
  const own = resendCount === 0 ? message : Buffer.from(message);
  trace.stamp(own, span);
  return own;
}
