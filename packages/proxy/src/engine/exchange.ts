/**
 * One request over all its tries. A connection has one exchange for all its requests, one after the other: nothing is
 * allocated for a request that succeeds at once but the copy of its message, which a retry would need.
 */
import { NO_SLOT, Outcome, outcomeOfStatus, type PickContext } from '@evenkeel/core';
import {
  type HedgePolicy,
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
import { pickAdmitted } from './admitted-pick.ts';
import { Attempt } from './attempt.ts';
import type { ClientConnection } from './client-connection.ts';
import { Entry } from './entry.ts';
import { pickHealthy } from './failover.ts';
import type { EngineHost } from './host.ts';
import { Hedges } from './hedges.ts';
import { Reception, type Requester } from './requester.ts';
import type { Target } from './route.ts';
import type { Refusal } from './refusal.ts';
import { Shadow } from './shadow.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

const GET = ascii('get');
const ANY: PickContext = Object.freeze({});
const NONE = Number.POSITIVE_INFINITY;

export class Exchange implements Requester {
  isHead = false;
  isUpgrade = false;
  /** Has any of a final response gone to the client? */
  answered = false;
  deadlineAtMs: number = NONE;
  /** What picks for the request ask for. */
  context: PickContext = ANY;
  readonly client: ClientConnection;

  readonly #host: EngineHost;
  /** What the route chose. */
  #first: Target | undefined = undefined;
  /** The same, or one that it fails over to. */
  #target: Target | undefined = undefined;
  /** The try at hand. */
  #attempt = new Attempt();
  readonly #entry = new Entry();
  /** What goes to an endpoint: the head, and the body as far as it was there with it. */
  #message: Buffer | undefined = undefined;
  /** Has body been sent that is not in {@link #message}? Then there is no second try. */
  #isConsumed = false;
  #isIdempotent = false;
  #retry: RetrySequence | undefined = undefined;
  #hedges: Hedges | undefined = undefined;
  #shadow: Shadow | undefined = undefined;
  /** Targets that were turned to because those before had nobody. */
  #failoverCount = 0;
  /** Grows with every request, so that a pause that ends late knows whose it was. */
  #generation = 0;

  constructor(host: EngineHost, client: ClientConnection) {
    this.#host = host;
    this.client = client;
  }

  /** Is a cluster asked? */
  get isActive(): boolean {
    return this.#target !== undefined;
  }

  get requestDone(): boolean {
    return this.client.requestDone;
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

  /** What was known of the request does not hold for the next one. */
  forget(): void {
    this.answered = this.isHead = this.isUpgrade = false;
  }

  begin(target: Target, message: Buffer): void {
    this.#generation++;
    this.#message = message;
    this.#isConsumed = false;
    const { requestMs, features } = target;
    this.#first = target;
    if (requestMs !== NONE) {
      this.deadlineAtMs = this.client.account.startedAtMs + requestMs;
      if (this.client.requestDone) this.client.dueAtMs = this.deadlineAtMs;
    }
    if (features !== undefined) {
      this.#failoverCount = 0;
      if (features.mirror !== undefined && !this.isUpgrade) {
        this.#shadow = Shadow.of(this.#host, features.mirror, this.isHead);
        this.#shadow?.add(message, this.client.requestDone);
      }
    }
    this.#enter(target);
  }

  /** More of the request's body. @param isLast does it end with it? */
  sendBody(output: Output, isLast: boolean): void {
    this.#shadow?.add(output.take(), isLast);
    const { connection } = this.#attempt;
    if (connection === undefined || !connection.isReady) {
      // Reading was paused, but these bytes were under way.
      if (this.#message !== undefined)
        this.#message = Buffer.concat([this.#message, output.take()]);
      return;
    }
    this.#isConsumed = true;
    if (!output.sendTo(connection.stream)) this.client.pauseBody();
    connection.requestSent(isLast);
  }

  sendTunnel(bytes: Buffer, from: number, to: number): void {
    const { connection } = this.#attempt;
    if (connection === undefined) return;
    this.client.account.bytesIn += to - from;
    connection.touch();
    if (!this.#host.output.begin().copy(bytes, from, to).sendTo(connection.stream))
      this.client.stream.pause();
  }

  endTunnel(): void {
    this.#attempt.connection?.stream.end();
  }

  /** The client takes bytes again. */
  clientDrained(): void {
    this.#attempt.connection?.resume();
  }

  upstreamDrained(): void {
    this.client.resumeBody();
  }

  connecting(connection: UpstreamConnection): void {
    this.#attempt.over(connection);
  }

  /** Is the request still on its way to a connection? */
  get awaitsConnection(): boolean {
    return this.#target !== undefined && this.#attempt.connection?.isReady !== true;
  }

  connected(connection: UpstreamConnection): void {
    this.#attempt.over(connection);
    connection.begin(this);
    if (connection.stream.write(this.#message as Buffer)) this.client.resumeBody();
    else this.client.pauseBody();
    connection.requestSent(this.client.requestDone);
  }

  answer(head: ResponseHead, bytes: Buffer): Reception {
    const target = this.#targetOf();
    const { cluster } = target.upstream;
    const nowMs = cluster.nowMs();
    const attempt = this.#attempt;
    const { status } = head;
    if (status < 400) {
      attempt.outcome = Outcome.success;
      attempt.respond(nowMs);
      this.#accept(nowMs);
      return Reception.forward;
    }
    const asked = this.#askedMs(head, bytes);
    if (asked !== undefined) cluster.pushback(attempt.slot, asked, nowMs);
    const outcome = outcomeOfStatus(status, asked !== undefined);
    attempt.outcome = outcome;
    const finished = {
      outcome,
      statusCode: status,
      sent: true,
      bodyRead: this.#isConsumed,
      retryAfterMs: asked,
    };
    if (this.#hedges !== undefined && target.retry.isRetryable(finished)) {
      // Another endpoint may have a better answer.
      if (this.#takeOver(outcome, nowMs)) return Reception.refuse;
    }
    if (this.#isRetried(finished, nowMs)) {
      // The answer is given up only for another one.
      const next = this.#pickNext(nowMs);
      if (next !== NO_SLOT || this.#retry?.reconsider(nowMs) === 'retry') {
        attempt.finish(outcome, nowMs);
        this.#tryElsewhere(next, outcome);
        return Reception.refuse;
      }
    }
    if (outcome === Outcome.success) attempt.respond(nowMs);
    this.#accept(nowMs);
    return Reception.forward;
  }

  received(): void {
    const attempt = this.#attempt;
    attempt.finish(attempt.outcome, this.#targetOf().upstream.cluster.nowMs());
  }

  complete(): void {
    this.received();
    this.#release();
    this.client.responseDone();
  }

  /** A filter failed over the head of the response: the client gets another one, and this one is not wanted. */
  replace(): void {
    this.answered = false;
    this.#drop(this.#attempt.outcome);
    this.#release();
  }

  tunnelClosed(): void {
    // What follows is not HTTP.
    this.client.keepAlive = false;
    this.complete();
  }

  failed(outcome: Outcome, sent: boolean): void {
    const { cluster } = this.#targetOf().upstream;
    const nowMs = cluster.nowMs();
    if (!this.answered && this.#takeOver(outcome, nowMs)) return;
    const isRetried =
      !this.answered && this.#isRetried({ outcome, sent, bodyRead: this.#isConsumed }, nowMs);
    this.#attempt.finish(outcome, nowMs);
    if (isRetried) this.#tryElsewhere(NO_SLOT, outcome);
    else if (sent || this.#isConsumed || !this.#failOver(0)) this.#giveUp(outcome);
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

  // Hedges ----------------------------------------------------------------------------------------------------------

  /** What is sent to a further endpoint. */
  get message(): Buffer {
    return this.#message as Buffer;
  }

  /** Picks an endpoint that is not asked yet. @param besides those that hedges ask */
  pickHedge(besides: readonly number[], nowMs: number): number {
    const exclude = [...(this.#retry?.excluded ?? []), this.#attempt.slot, ...besides];
    const { cluster } = this.#targetOf().upstream;
    return pickAdmitted(cluster, this.#entry.admission, { ...this.context, exclude }, nowMs);
  }

  /** A hedge has the first answer. @returns what the exchange makes of it, which is its from now on */
  hedgeAnswered(attempt: Attempt, head: ResponseHead, bytes: Buffer): Reception {
    const nowMs = this.#targetOf().upstream.cluster.nowMs();
    this.#generation++;
    this.#attempt.drop(this, Outcome.cancelled, nowMs);
    this.#attempt = attempt;
    return this.answer(head, bytes);
  }

  /** Goes on with a hedge in place of the try that failed. @returns is there one? */
  #takeOver(outcome: Outcome, nowMs: number): boolean {
    const attempt = this.#hedges?.promote(this);
    if (attempt === undefined) return false;
    this.#attempt.finish(outcome, nowMs);
    this.#attempt = attempt;
    return true;
  }

  /** A response is on its way to the client. */
  #accept(nowMs: number): void {
    this.answered = true;
    this.#hedges?.settle(nowMs);
  }

  // Tries -----------------------------------------------------------------------------------------------------------

  #enter(target: Target): void {
    const { cluster } = target.upstream;
    const nowMs = cluster.nowMs();
    this.#target = target;
    this.#retry = undefined;
    const refused = this.#entry.enter(cluster, nowMs);
    if (refused !== undefined) {
      this.#refuse('admission', refused);
      return;
    }
    target.retry.budget.deposit(nowMs);
    this.#try(nowMs);
  }

  #try(nowMs: number): void {
    const { cluster } = this.#targetOf().upstream;
    const { admission } = this.#entry;
    const features = this.#first?.features;
    // With somewhere else to go, nobody is asked whose health is ignored.
    const pick = features !== undefined && this.#hasFailover(1) ? pickHealthy : pickAdmitted;
    const slot = pick(cluster, admission, this.context, nowMs);
    if (slot !== NO_SLOT) {
      this.#tryOn(slot, nowMs);
      if (features?.hedge !== undefined && this.isActive) this.#hedge(features.hedge, nowMs);
    } else if (!this.#failOver(1)) this.#refuse('no-endpoint');
  }

  #tryOn(slot: number, nowMs: number): void {
    const { upstream } = this.#targetOf();
    const attempt = this.#attempt;
    attempt.start(upstream, this.#entry.admission, slot, nowMs);
    this.client.account.tried(upstream.cluster, slot);
    const taken = attempt.take(this);
    if (taken === 'full') {
      // Nothing is known about the endpoint but that it has enough to do.
      attempt.finish(Outcome.cancelled, nowMs);
      this.#refuse('queue-full');
    } else if (taken === 'queued') {
      this.client.pauseBody();
      this.client.limitWait();
    } else if (taken.isReady) this.connected(taken);
    else this.client.pauseBody();
  }

  #hedge(policy: HedgePolicy, nowMs: number): void {
    if (!this.#isIdempotent || this.isUpgrade || !this.client.requestDone) return;
    const { upstream, retry } = this.#targetOf();
    const ports = { host: this.#host, exchange: this, policy, upstream, retry };
    this.#hedges = new Hedges(ports, this.#entry.admission, nowMs);
  }

  /** Nobody takes the request. */
  #refuse(reason: Refusal, status = 503): void {
    this.#attempt.outcome = Outcome.cancelled;
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
    this.#retry.exclude(this.#attempt.slot);
    return true;
  }

  /**
   * The retry that was granted: after its pause, on an endpoint that has not failed this request.
   *
   * @param next the endpoint, if it was looked for already
   */
  #tryElsewhere(next: number, outcome: Outcome): void {
    const retry = this.#retry as RetrySequence;
    this.#host.counters.retryCount++;
    this.#after(retry.delayMs, () => {
      const { cluster } = this.#targetOf().upstream;
      const nowMs = cluster.nowMs();
      const slot = next === NO_SLOT ? this.#pickNext(nowMs) : next;
      if (slot !== NO_SLOT) this.#tryOn(slot, nowMs);
      else if (retry.reconsider(nowMs) === 'retry')
        this.#after(retry.delayMs, () => this.#try(cluster.nowMs()));
      else if (outcome !== Outcome.connectFailure || !this.#failOver(0)) this.#giveUp(outcome);
    });
  }

  #pickNext(nowMs: number): number {
    const context = { ...this.context, exclude: this.#retry?.excluded };
    return pickAdmitted(this.#targetOf().upstream.cluster, this.#entry.admission, context, nowMs);
  }

  /** @param lastResorts 1: the first target again counts, whatever its health */
  #hasFailover(lastResorts: 0 | 1): boolean {
    const { length = 0 } = this.#first?.features?.failover ?? [];
    return length > 0 && this.#failoverCount < length + lastResorts;
  }

  /** Turns to the next cluster, if there is one. Never after the request was seen by an endpoint. */
  #failOver(lastResorts: 0 | 1): boolean {
    if (!this.#hasFailover(lastResorts)) return false;
    const first = this.#first as Target;
    const next = first.features?.failover[this.#failoverCount++] ?? first;
    this.#entry.leave(Outcome.cancelled, this.#attempt.startedAtMs, first.upstream.cluster.nowMs());
    this.#host.counters.failoverCount++;
    const { hashKey } = this.context;
    this.context = hashKey === undefined ? next.context : { ...next.context, hashKey };
    this.client.account.enter(next.meter);
    this.#enter(next);
    return true;
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
    if (this.#target !== undefined)
      this.#attempt.drop(this, outcome, this.#target.upstream.cluster.nowMs());
  }

  #release(): void {
    const attempt = this.#attempt;
    if (this.#entry.admission !== undefined) {
      const nowMs = this.#targetOf().upstream.cluster.nowMs();
      this.#entry.leave(attempt.outcome, attempt.startedAtMs, nowMs);
    }
    this.#generation++;
    this.#first = this.#target = undefined;
    this.context = ANY;
    this.#message = undefined;
    this.#retry = undefined;
    this.#hedges?.close();
    this.#hedges = undefined;
    this.#shadow = undefined;
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
