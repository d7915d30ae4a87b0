/** One try on one endpoint, as its cluster hears of it: from the pick to the outcome, which is told once. */
import { NO_SLOT, Outcome, RESPONDED } from '@evenkeel/core';
import { type Admission, outcomeOfGrpcCode } from '@evenkeel/core/resilience';
import type { FieldIndex } from '../http1/field-index.ts';
import { grpcCodeIn, NOT_A_CALL } from './grpc-call.ts';
import type { TrySpan } from '../observability/trace-context/spans.ts';
import type { Requester } from './requester.ts';
import type { Upstream } from './route.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { Taken } from './upstream-pools.ts';

export class Attempt {
  /** The connection that the request goes over; undefined while there is none. */
  connection: UpstreamConnection | undefined = undefined;
  /** `NO_SLOT` before the try, and when its outcome has been told. */
  slot: number = NO_SLOT;
  startedAtMs = 0;
  /** As far as it is known. */
  outcome: Outcome = Outcome.success;
  /** Is the answer one of gRPC, whose trailers tell how the call went? */
  isCall = false;
  /** Of the request's trace; undefined where nobody records. */
  span: TrySpan | undefined = undefined;

  #upstream: Upstream | undefined = undefined;
  #admission: Admission | undefined = undefined;
  /** The slot whose pool has the requester in its queue, or `NO_SLOT`. */
  #queuedAt: number = NO_SLOT;
  #responded = false;

  /** @param admission what has let the request in, if anything has to */
  // oxlint-disable-next-line max-params -- per try: an object would be allocated
  start(upstream: Upstream, admission: Admission | undefined, slot: number, nowMs: number): void {
    this.#upstream = upstream;
    this.#admission = admission;
    this.slot = slot;
    this.startedAtMs = nowMs;
    this.outcome = Outcome.success;
    this.isCall = false;
    this.span = undefined;
    this.#responded = false;
    upstream.cluster.start(slot, nowMs);
  }

  /** A connection to the endpoint, or a place in the queue for one. */
  take(requester: Requester): Taken {
    const taken = (this.#upstream as Upstream).pools.take(this.slot, requester);
    if (taken === 'queued') this.#queuedAt = this.slot;
    else if (taken !== 'full') this.connection = taken;
    return taken;
  }

  /** The queue is over. */
  over(connection: UpstreamConnection): void {
    this.connection = connection;
    this.#queuedAt = NO_SLOT;
  }

  /** A final status has come. @param isCall is it one of gRPC? */
  answered(status: number, isCall: boolean): void {
    this.isCall = isCall;
    this.span?.answered(status);
  }

  /** The first byte of a good answer is here. */
  respond(nowMs: number): void {
    this.#responded = true;
    (this.#upstream as Upstream).cluster.respond(this.slot, nowMs - this.startedAtMs, nowMs);
  }

  /** gRPC tells how a call went after its messages. */
  readTrailers(fields: FieldIndex, bytes: Buffer): void {
    const code = this.isCall ? grpcCodeIn(fields, bytes) : NOT_A_CALL;
    if (code > 0) this.outcome = outcomeOfGrpcCode(code);
  }

  /** Tells how it went; does nothing when that is told. */
  finish(outcome: Outcome, nowMs: number): void {
    const { slot } = this;
    this.connection = undefined;
    this.#queuedAt = NO_SLOT;
    if (slot === NO_SLOT) return;
    this.slot = NO_SLOT;
    this.outcome = outcome;
    this.span?.end(outcome);
    const latencyMs = nowMs - this.startedAtMs;
    const { cluster } = this.#upstream as Upstream;
    cluster.finish(slot, outcome, this.#responded ? RESPONDED : latencyMs, nowMs);
    this.#admission?.leave(slot, outcome, latencyMs, nowMs, this.startedAtMs);
  }

  /** Nobody waits for it any more. */
  drop(requester: Requester, outcome: Outcome, nowMs: number): void {
    const { connection } = this;
    this.connection = undefined;
    connection?.abandon();
    if (this.#queuedAt !== NO_SLOT) this.#upstream?.pools.leave(this.#queuedAt, requester);
    this.finish(outcome, nowMs);
  }
}
