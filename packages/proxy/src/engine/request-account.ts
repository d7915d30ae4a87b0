/**
 * What is counted and told of the request at hand of a connection. It is opened with the head of a request and ends
 * once, with the last byte of the response or with the connection.
 */
import type { Cluster, Runtime } from '@evenkeel/core';
import type { AccessEntry, AccessLog } from '../observability/access-log.ts';
import type { RouteMeter } from '../observability/route-meter.ts';
import type { RequestTrace, RequestTracer } from '../observability/trace-context/request-tracer.ts';
import type { Usage } from '../runtime/usage.ts';
import type { ClientIdentity } from './client-identity.ts';
import { type HopOptions, hopLinesOf, NO_LINES } from './hop-lines.ts';
import { RequestId } from './request-id.ts';
import type { RouteRequest } from './route.ts';

/** What is observed of requests. */
export interface Observer {
  readonly runtime: Runtime;
  /** Of requests before they have a route, and of those that find none. */
  readonly unrouted: RouteMeter;
  readonly log: AccessLog | undefined;
  /** Do requests get ids? */
  readonly identifies: boolean;
  /** Undefined where requests have no traces. */
  readonly tracer: RequestTracer | undefined;
  /** What clients are told about how their request went; undefined for nothing. */
  readonly hop: HopOptions | undefined;
  /** Of the configuration: a request is under it from {@link RequestAccount.open} to its end. */
  readonly usage: Usage;
}

export class RequestAccount {
  /** Of the final response, or 0. */
  status = 0;
  tries = 0;
  /** From and to the client, heads and framing included. */
  bytesIn = 0;
  bytesOut = 0;
  /** Why the request is answered from here, if it is: a `Refusal`, or the word of a filter. */
  reason: string | undefined = undefined;
  /** When its head was complete. */
  startedAtMs = 0;
  readonly id: RequestId = new RequestId();
  trace: RequestTrace | undefined = undefined;

  readonly #host: { readonly observer: Observer };
  /** That of the request at hand: the host may get another one before its end. */
  #observer: Observer;
  readonly #identity: ClientIdentity;
  /** Undefined while there is no request. */
  #meter: RouteMeter | undefined = undefined;
  #entry: AccessEntry | undefined = undefined;
  /** Only kept for the log. */
  #endpoint: string | undefined = undefined;

  constructor(host: { readonly observer: Observer }, identity: ClientIdentity) {
    this.#host = host;
    this.#observer = host.observer;
    this.#identity = identity;
  }

  get isOpen(): boolean {
    return this.#meter !== undefined;
  }

  /** @param request undefined when it cannot be read */
  open(request: RouteRequest | undefined): void {
    this.#observer = this.#host.observer;
    const { runtime, unrouted, log, identifies, usage, tracer } = this.#observer;
    usage.enter();
    this.startedAtMs = runtime.clock.nowMs();
    this.status = this.tries = this.bytesIn = this.bytesOut = 0;
    this.reason = undefined;
    this.#meter = unrouted;
    unrouted.activeCount++;
    if (identifies) {
      const { isTrusted } = this.#identity;
      this.id.choose(isTrusted ? request?.header('x-request-id') : undefined, runtime.random);
    }
    if (tracer !== undefined) this.trace = tracer.begin(request, this.#identity);
    if (log === undefined) return;
    this.#endpoint = undefined;
    this.#entry = log.begin(request, this.#identity.address);
  }

  /** The request has a route. */
  enter(meter: RouteMeter): void {
    if (this.#meter !== undefined) this.#meter.activeCount--;
    this.#meter = meter;
    meter.activeCount++;
  }

  /** An endpoint is asked. */
  tried(cluster: Cluster, slot: number): void {
    this.tries++;
    if (this.#entry !== undefined) this.#endpoint = cluster.endpoint(slot)?.id;
  }

  /** Does nothing when no request is open. */
  end(nowMs: number): void {
    const meter = this.#meter;
    if (meter === undefined) return;
    this.#meter = undefined;
    const durationMs = nowMs - this.startedAtMs;
    meter.end(this, durationMs);
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry !== undefined) this.#tell(entry, meter, durationMs);
    if (this.trace !== undefined) this.#endTrace(this.trace, meter);
    this.#observer.usage.leave();
  }

  /** In which header clients are told the id of their trace. */
  get traceHeader(): string | undefined {
    return this.#observer.hop?.traceHeader;
  }

  /**
   * Whole lines for the client about this hop, or none.
   *
   * @param askedAtMs when the endpoint was asked whose response it is; undefined for an answer of the proxy's own
   */
  hopLines(askedAtMs?: number): Uint8Array {
    const { hop, runtime } = this.#observer;
    if (hop === undefined) return NO_LINES;
    const { startedAtMs, trace } = this;
    return hopLinesOf(hop, {
      startedAtMs,
      askedAtMs,
      nowMs: runtime.clock.nowMs(),
      traceId: trace?.context.traceId,
    });
  }

  #endTrace(trace: RequestTrace, { route, cluster }: RouteMeter): void {
    const { status, reason } = this;
    this.trace = undefined;
    trace.end({ status, reason, route, cluster, requestId: this.id.text });
  }

  #tell(entry: AccessEntry, meter: RouteMeter, durationMs: number): void {
    const { status, bytesIn, bytesOut, tries, reason } = this;
    this.#observer.log?.end(entry, {
      status,
      durationMs,
      bytesIn,
      bytesOut,
      tries,
      requestId: this.id.text,
      traceId: this.trace?.context.traceId,
      spanId: this.trace?.context.spanId,
      route: meter.route,
      cluster: meter.cluster,
      endpoint: this.#endpoint,
      reason,
    });
  }
}
