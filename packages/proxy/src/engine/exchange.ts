/**
 * One request over all its tries. A connection has one exchange for all its requests, one after the other: nothing is
 * allocated for a request that succeeds at once but the copy of its message, which a retry would need.
 */
import { NO_SLOT, Outcome, outcomeOfStatus, type PickContext, RESPONDED } from '@evenkeel/core';
import {
  type Admission,
  isIdempotentMethod,
  retryAfterMs,
  type RetrySequence,
} from '@evenkeel/core/resilience';
import { ascii } from '../http1/byte-class.ts';
import { Field } from '../http1/known-field.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { isMethod } from '../http1/request-target.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Output } from '../socket/output.ts';
import type { ClientConnection } from './client-connection.ts';
import type { EngineHost } from './host.ts';
import { pickAdmitted } from './admitted-pick.ts';
import type { Target } from './route.ts';
import type { Refusal } from './refusal.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

const GET = ascii('get');
const ANY: PickContext = Object.freeze({});
const NONE = Number.POSITIVE_INFINITY;

export class Exchange {
  /** Has the request no body in its response, whatever that says? */
  isHead = false;
  /** Does the client ask for another protocol? */
  isUpgrade = false;
  /** Has any of a final response gone to the client? */
  answered = false;
  deadlineAtMs: number = NONE;
  /** What picks for the request ask for. */
  context: PickContext = ANY;
  readonly client: ClientConnection;

  readonly #host: EngineHost;
  #target: Target | undefined = undefined;
  #upstream: UpstreamConnection | undefined = undefined;
  /** What goes to an endpoint: the head, and the body as far as it was there with it. */
  #message: Buffer | undefined = undefined;
  /** Has body been sent that is not in {@link #message}? Then there is no second try. */
  #isConsumed = false;
  #isIdempotent = false;
  #slot: number = NO_SLOT;
  #startedAtMs = 0;
  #outcome: Outcome = Outcome.success;
  #responded = false;
  #retry: RetrySequence | undefined = undefined;
  /** What has let the request in and has to hear of its end; undefined for most clusters. */
  #admission: Admission | undefined = undefined;
  #admittedAtMs = 0;
  /** The slot whose pool has this exchange in its queue, or `NO_SLOT`. */
  #queuedAt: number = NO_SLOT;
  /** Grows with every request, so that a pause that ends late knows whose it was. */
  #generation = 0;

  constructor(host: EngineHost, client: ClientConnection) {
    this.#host = host;
    this.client = client;
  }

  /** Notes what the response depends on. */
  read(head: RequestHead, bytes: Buffer): void {
    const { from, methodTo, fields, semantics } = head;
    const isGet = isMethod(bytes, from, methodTo, GET);
    this.isHead = !isGet && head.isHead(bytes);
    this.#isIdempotent = isGet || isIdempotentMethod(bytes.toString('latin1', from, methodTo));
    this.isUpgrade =
      semantics.upgrade && head.minor === 1 && fields.countOf(Field.upgrade) === 1 && !this.isHead;
    this.answered = false;
  }

  begin(target: Target, message: Buffer): void {
    this.#generation++;
    this.#target = target;
    this.#message = message;
    this.#isConsumed = false;
    this.#retry = undefined;
    const { requestMs } = target;
    const nowMs = target.upstream.cluster.nowMs();
    if (requestMs !== NONE) {
      this.deadlineAtMs = this.#host.runtime.clock.nowMs() + requestMs;
      if (this.client.requestDone) this.client.dueAtMs = this.deadlineAtMs;
    }
    const { admission } = target.upstream.cluster;
    const refusal = admission?.admit(nowMs);
    if (refusal !== undefined) {
      this.#refuse('admission', refusal.reason === 'rate-limit' ? 429 : 503);
      return;
    }
    this.#admission = admission;
    this.#admittedAtMs = nowMs;
    target.retry.budget.deposit(nowMs);
    this.#try(nowMs);
  }

  /** More of the request's body. @param isLast does it end with it? */
  sendBody(output: Output, isLast: boolean): void {
    const upstream = this.#upstream;
    if (upstream === undefined || !upstream.isReady) {
      // Reading was paused, but these bytes were under way.
      if (this.#message !== undefined)
        this.#message = Buffer.concat([this.#message, output.take()]);
      return;
    }
    this.#isConsumed = true;
    if (!output.sendTo(upstream.stream)) this.client.pauseBody();
    upstream.requestSent(isLast);
  }

  sendTunnel(bytes: Buffer, from: number, to: number): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.client.account.bytesIn += to - from;
    upstream.touch();
    if (!this.#host.output.begin().copy(bytes, from, to).sendTo(upstream.stream))
      this.client.stream.pause();
  }

  endTunnel(): void {
    this.#upstream?.stream.end();
  }

  /** The client takes bytes again. */
  clientDrained(): void {
    this.#upstream?.stream.resume();
  }

  /** The endpoint takes bytes again. */
  upstreamDrained(): void {
    this.client.resumeBody();
  }

  /** A connection is being made for this exchange, which was in the queue. */
  connecting(upstream: UpstreamConnection): void {
    this.#upstream = upstream;
    this.#queuedAt = NO_SLOT;
  }

  /** Is the request still on its way to a connection? */
  get awaitsConnection(): boolean {
    return this.#target !== undefined && this.#upstream?.isReady !== true;
  }

  /** The connection that this exchange waits for is there, or an idle one was taken. */
  connected(upstream: UpstreamConnection): void {
    this.#upstream = upstream;
    this.#queuedAt = NO_SLOT;
    const message = this.#message as Buffer;
    upstream.begin(this);
    if (upstream.stream.write(message)) this.client.resumeBody();
    else this.client.pauseBody();
    upstream.requestSent(this.client.requestDone);
  }

  /** A final status. @returns false when another endpoint is asked instead */
  answer(head: ResponseHead, bytes: Buffer): boolean {
    const { cluster } = this.#targetOf().upstream;
    const nowMs = cluster.nowMs();
    const latencyMs = nowMs - this.#startedAtMs;
    const { status } = head;
    if (status < 400) {
      this.#outcome = Outcome.success;
      this.#responded = true;
      cluster.respond(this.#slot, latencyMs, nowMs);
      this.answered = true;
      return true;
    }
    const asked = this.#askedMs(head, bytes);
    if (asked !== undefined) cluster.pushback(this.#slot, asked, nowMs);
    this.#outcome = outcomeOfStatus(status, asked !== undefined);
    const finished = {
      outcome: this.#outcome,
      statusCode: status,
      sent: true,
      bodyRead: this.#isConsumed,
      retryAfterMs: asked,
    };
    const slot = this.#slot;
    if (this.#isRetried(finished, nowMs)) {
      // The answer is given up only for another one.
      const next = this.#pickNext(nowMs);
      if (next !== NO_SLOT || this.#retry?.reconsider(nowMs) === 'retry') {
        this.#finish(this.#outcome, latencyMs, nowMs);
        this.#tryElsewhere(next, this.#outcome);
        return false;
      }
    }
    if (this.#outcome === Outcome.success) {
      this.#responded = true;
      cluster.respond(slot, latencyMs, nowMs);
    }
    this.answered = true;
    return true;
  }

  /** The whole response has been handed on. */
  complete(): void {
    this.#upstream = undefined;
    const nowMs = this.#targetOf().upstream.cluster.nowMs();
    this.#finish(this.#outcome, nowMs - this.#startedAtMs, nowMs);
    this.#release();
    this.client.responseDone();
  }

  /** A tunnel has closed on the endpoint's side. */
  tunnelClosed(): void {
    // What follows is not HTTP.
    this.client.keepAlive = false;
    this.complete();
  }

  /**
   * A try failed without a complete response.
   *
   * @param sent may the endpoint have seen some of the request?
   */
  failed(outcome: Outcome, sent: boolean): void {
    this.#upstream = undefined;
    const { cluster } = this.#targetOf().upstream;
    const nowMs = cluster.nowMs();
    const isRetried =
      !this.answered && this.#isRetried({ outcome, sent, bodyRead: this.#isConsumed }, nowMs);
    this.#finish(outcome, nowMs - this.#startedAtMs, nowMs);
    if (isRetried) this.#tryElsewhere(NO_SLOT, outcome);
    else this.#giveUp(outcome);
  }

  /** The time for the whole request is over. */
  expire(): void {
    if (this.#target === undefined) return;
    this.#drop(this.awaitsConnection ? Outcome.cancelled : Outcome.timeout);
    this.#giveUp(Outcome.timeout);
  }

  /** The client is gone, or broke a rule. */
  abort(): void {
    this.#drop(Outcome.cancelled);
    this.#release();
  }

  #try(nowMs: number): void {
    const { cluster } = this.#targetOf().upstream;
    const slot = pickAdmitted(cluster, this.#admission, this.context, nowMs);
    if (slot !== NO_SLOT) this.#tryOn(slot, nowMs);
    else this.#refuse('no-endpoint');
  }

  #tryOn(slot: number, nowMs: number): void {
    const { cluster, pools } = this.#targetOf().upstream;
    this.#slot = slot;
    this.#startedAtMs = nowMs;
    this.#responded = false;
    cluster.start(slot, nowMs);
    this.client.account.tried(cluster, slot);
    const taken = pools.take(slot, this);
    if (taken === 'full') {
      // Nothing is known about the endpoint but that it has enough to do.
      this.#finish(Outcome.cancelled, 0, nowMs);
      this.#refuse('queue-full');
      return;
    }
    if (taken === 'queued') {
      this.#queuedAt = slot;
      this.client.pauseBody();
      this.client.limitWait();
      return;
    }
    this.#upstream = taken;
    if (taken.isReady) this.connected(taken);
    else this.client.pauseBody();
  }

  /** Nobody takes the request. */
  #refuse(reason: Refusal, status = 503): void {
    this.#outcome = Outcome.cancelled;
    this.#release();
    this.client.reply(status, false, reason);
  }

  #isRetried(finished: Parameters<RetrySequence['consider']>[0], nowMs: number): boolean {
    const target = this.#targetOf();
    if (!target.retry.isRetryable(finished)) return false;
    this.#retry ??= target.retry.begin({
      idempotent: this.#isIdempotent && !this.isUpgrade,
      replayable: this.client.requestDone && !this.#isConsumed,
    });
    if (this.#retry.consider(finished, nowMs) !== 'retry') return false;
    this.#retry.exclude(this.#slot);
    return true;
  }

  /**
   * The retry that was granted: after its pause, on an endpoint that has not failed this request.
   *
   * @param next the endpoint, if it was looked for already
   */
  #tryElsewhere(next: number, outcome: Outcome): void {
    const retry = this.#retry as RetrySequence;
    this.#upstream = undefined;
    this.#host.counters.retryCount++;
    this.#after(retry.delayMs, () => {
      const { cluster } = this.#targetOf().upstream;
      const nowMs = cluster.nowMs();
      const slot = next === NO_SLOT ? this.#pickNext(nowMs) : next;
      if (slot !== NO_SLOT) this.#tryOn(slot, nowMs);
      else if (retry.reconsider(nowMs) === 'retry')
        this.#after(retry.delayMs, () => this.#try(cluster.nowMs()));
      else this.#giveUp(outcome);
    });
  }

  #pickNext(nowMs: number): number {
    const context = { ...this.context, exclude: this.#retry?.excluded };
    return pickAdmitted(this.#targetOf().upstream.cluster, this.#admission, context, nowMs);
  }

  /** Never in the stack of the connection that failed. */
  #after(delayMs: number, task: () => void): void {
    const generation = this.#generation;
    const checked = (): void => {
      if (generation === this.#generation) task();
    };
    const { scheduler } = this.#host.runtime;
    if (delayMs > 0) scheduler.after(delayMs, checked);
    else scheduler.soon(checked);
  }

  #giveUp(outcome: Outcome): void {
    this.#release();
    if (this.answered) {
      this.client.cutOff();
      return;
    }
    if (outcome === Outcome.timeout) this.client.reply(504, false, 'upstream-timeout');
    else this.client.reply(502, false, 'upstream-failed');
  }

  #drop(outcome: Outcome): void {
    const upstream = this.#upstream;
    if (this.#target === undefined) return;
    this.#upstream = undefined;
    upstream?.abandon();
    if (this.#queuedAt !== NO_SLOT) {
      this.#targetOf().upstream.pools.leave(this.#queuedAt, this);
      this.#queuedAt = NO_SLOT;
    }
    if (this.#slot === NO_SLOT) return;
    const nowMs = this.#targetOf().upstream.cluster.nowMs();
    this.#finish(outcome, nowMs - this.#startedAtMs, nowMs);
  }

  #finish(outcome: Outcome, latencyMs: number, nowMs: number): void {
    const slot = this.#slot;
    if (slot === NO_SLOT) return;
    this.#slot = NO_SLOT;
    this.#outcome = outcome;
    this.#targetOf().upstream.cluster.finish(
      slot,
      outcome,
      this.#responded ? RESPONDED : latencyMs,
      nowMs,
    );
    this.#admission?.leave(slot, outcome, latencyMs, nowMs, this.#startedAtMs);
  }

  #release(): void {
    const admission = this.#admission;
    if (admission !== undefined) {
      this.#admission = undefined;
      const nowMs = this.#targetOf().upstream.cluster.nowMs();
      const latencyMs = nowMs - this.#startedAtMs;
      admission.complete(this.#outcome, latencyMs, nowMs, this.#admittedAtMs);
    }
    this.#generation++;
    this.#target = undefined;
    this.context = ANY;
    this.#message = undefined;
    this.#retry = undefined;
    this.deadlineAtMs = NONE;
  }

  #askedMs({ status, fields }: ResponseHead, bytes: Buffer): number | undefined {
    if (status !== 429 && status !== 503) return undefined;
    const text = fields.text(bytes, Field.retryAfter);
    return text === undefined ? undefined : retryAfterMs(text, this.#host.runtime.clock.wallMs());
  }

  #targetOf(): Target {
    return this.#target as Target;
  }
}
