/**
 * What is counted and told of the request at hand of a connection. It is opened with the head of a request and ends
 * once, with the last byte of the response or with the connection.
 */
import type { Cluster, Runtime } from '@evenkeel/core';
import type { AccessEntry, AccessLog } from '../observability/access-log.ts';
import type { RouteMeter } from '../observability/route-meter.ts';
import type { Usage } from '../runtime/usage.ts';
import type { ClientIdentity } from './client-identity.ts';
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
    const { runtime, unrouted, log, identifies, usage } = this.#observer;
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
    this.#observer.usage.leave();
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
      route: meter.route,
      cluster: meter.cluster,
      endpoint: this.#endpoint,
      reason,
    });
  }
}
