/**
 * One request over all its tries. A connection has one exchange for all its requests, one after the other: nothing is
 * allocated for a request that succeeds at once but the copy of its message, which a retry would need.
 */
import { NO_SLOT, Outcome, type PickContext } from '@evenkeel/core';
import type { FinishedTry } from '@evenkeel/core/resilience';
import type { FieldIndex } from '../http1/field-index.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Output } from '../socket/output.ts';
import { pickAdmitted } from './admitted-pick.ts';
import { Attempt } from './attempt.ts';
import type { ClientConnection } from './client-connection.ts';
import { ClientRequester } from './client-requester.ts';
import { Entry } from './entry.ts';
import { Extras } from './extras.ts';
import { contextOn, pickHealthy } from './failover.ts';
import { grpcCodeOf, NOT_A_CALL, outcomeOfAnswer } from './grpc-call.ts';
import type { EngineHost } from './host.ts';
import { OutgoingMessage } from './outgoing-message.ts';
import { Retries } from './retries.ts';
import { askedMs } from './retry-after.ts';
import { Reception, type Requester } from './requester.ts';
import type { Target } from './route.ts';
import type { Refusal } from './refusal.ts';
import { traced } from './traced-try.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

const ANY: PickContext = Object.freeze({});
const NONE = Number.POSITIVE_INFINITY;

export class Exchange extends ClientRequester implements Requester {
  deadlineAtMs: number = NONE;
  /** What picks for the request ask for. */
  context: PickContext = ANY;

  readonly #host: EngineHost;
  /** What the route chose, or one that it fails over to. */
  #target: Target | undefined = undefined;
  /** The try at hand. */
  #attempt = new Attempt();
  readonly #entry = new Entry();
  readonly #message: OutgoingMessage;
  readonly #retries: Retries;
  /** The time of the cluster, in the turn in which the head of the response came. */
  #freshMs: number | undefined = undefined;
  /** Of routes with features. */
  #extras: Extras | undefined = undefined;

  constructor(host: EngineHost, client: ClientConnection) {
    super(client);
    this.#host = host;
    this.#retries = new Retries(host.runtime.scheduler);
    this.#message = new OutgoingMessage(host.output);
  }

  /** Is a cluster asked? */
  get isActive(): boolean {
    return this.#target !== undefined;
  }

  /** When the endpoint was asked that is at hand. */
  get askedAtMs(): number {
    return this.#attempt.startedAtMs;
  }

  /** @param message undefined where it is in the output */
  begin(target: Target, message: Buffer | undefined): void {
    const { features, upstream, retry } = target;
    // A message that is sent once need not be kept, unless it has to wait, or is written into.
    const { startedAtMs, trace } = this.client.account;
    const isSentOnce = features === undefined && retry.config.attempts === 0 && trace === undefined;
    this.#message.begin(message, isSentOnce);
    const requestMs = Math.min(target.requestMs, this.kind.timeoutMs);
    if (requestMs !== NONE) {
      this.deadlineAtMs = startedAtMs + requestMs;
      if (this.client.requestDone) this.client.dueAtMs = this.deadlineAtMs;
    }
    if (features !== undefined) {
      this.#extras = new Extras(this.#host, this.kind, target, features);
      this.#extras.shadow?.add(this.message, this.client.requestDone);
    }
    // From the output it comes in the turn of its head.
    const isFresh = message === undefined && this.client.run === undefined;
    const { cluster, pools } = upstream;
    this.#enter(target, isFresh && pools.sharesClock ? startedAtMs : cluster.nowMs());
  }

  /** More of the request's body. @param isLast does it end with it? */
  sendBody(output: Output, isLast: boolean): void {
    this.#extras?.shadow?.add(output.take(), isLast);
    const { connection } = this.#attempt;
    if (connection === undefined || !connection.isReady) {
      // Reading was paused, but these bytes were under way.
      this.#message.extend();
      return;
    }
    this.#message.isConsumed = true;
    if (!output.sendTo(connection.stream)) this.client.reading.pause();
    connection.requestSent(isLast);
  }

  /** That of the try at hand, if there is one. */
  get connection(): UpstreamConnection | undefined {
    return this.#attempt.connection;
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
    if (this.#message.sendTo(connection.stream)) this.client.reading.resume();
    else this.client.reading.pause();
    connection.requestSent(this.client.requestDone);
  }

  answer(head: ResponseHead, bytes: Buffer): Reception {
    const target = this.#targetOf();
    const { cluster } = target.upstream;
    const nowMs = cluster.nowMs();
    const attempt = this.#attempt;
    const { status } = head;
    const grpcCode = status === 200 ? grpcCodeOf(head.fields, bytes) : NOT_A_CALL;
    attempt.answered(status, grpcCode !== NOT_A_CALL);
    if (status < 400 && grpcCode <= 0) {
      attempt.outcome = Outcome.success;
      attempt.respond(nowMs);
      this.#accept(nowMs);
      return Reception.forward;
    }
    const asked = askedMs(head, bytes, this.#host.runtime.clock);
    if (asked !== undefined) cluster.pushback(attempt.slot, asked, nowMs);
    const outcome = outcomeOfAnswer(status, grpcCode, asked !== undefined);
    attempt.outcome = outcome;
    const finished = {
      outcome,
      statusCode: status,
      grpcCode: grpcCode > 0 ? grpcCode : undefined,
      sent: true,
      bodyRead: this.#message.isConsumed,
      retryAfterMs: asked,
    };
    if (this.#extras !== undefined && target.retry.isRetryable(finished)) {
      // Another endpoint may have a better answer.
      if (this.#takeOver(outcome, nowMs)) return Reception.refuse;
    }
    if (this.#isRetried(finished, nowMs)) {
      // The answer is given up only for another one.
      const next = this.#pickNext(nowMs);
      if (next !== NO_SLOT || this.#retries.mayReturn(nowMs)) {
        attempt.finish(outcome, nowMs);
        this.#tryElsewhere(next, outcome);
        return Reception.refuse;
      }
    }
    if (outcome === Outcome.success) attempt.respond(nowMs);
    this.#accept(nowMs);
    return Reception.forward;
  }

  trailers(fields: FieldIndex, bytes: Buffer): void {
    this.#attempt.readTrailers(fields, bytes);
  }

  received(): void {
    const attempt = this.#attempt;
    attempt.finish(attempt.outcome, this.#freshMs ?? this.#targetOf().upstream.cluster.nowMs());
  }

  complete(): void {
    this.received();
    const { sharesClock } = this.#targetOf().upstream.pools;
    const nowMs = sharesClock ? this.#freshMs : undefined;
    this.#release();
    this.client.responseDone(nowMs);
  }

  /** The turn in which the head of the response came is over: it is later now. */
  turnOver(): void {
    this.#freshMs = undefined;
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
    this.turnOver();
    this.complete();
  }

  failed(outcome: Outcome, sent: boolean): void {
    const { cluster } = this.#targetOf().upstream;
    const nowMs = cluster.nowMs();
    if (!this.answered && this.#takeOver(outcome, nowMs)) return;
    const isRetried =
      !this.answered &&
      this.#isRetried({ outcome, sent, bodyRead: this.#message.isConsumed }, nowMs);
    this.#attempt.finish(outcome, nowMs);
    if (isRetried) this.#tryElsewhere(NO_SLOT, outcome);
    else if (sent || this.#message.isConsumed || !this.#failOver(false)) this.#giveUp(outcome);
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

  /** What is sent to a further endpoint. */
  get message(): Buffer {
    return this.#message.bytes;
  }

  /** Picks an endpoint that is not asked yet. @param besides those that hedges ask */
  pickHedge(besides: readonly number[], nowMs: number): number {
    const exclude = [...this.#retries.excluded, this.#attempt.slot, ...besides];
    const { cluster } = this.#targetOf().upstream;
    return pickAdmitted(cluster, this.#entry.admission, { ...this.context, exclude }, nowMs);
  }

  /** A hedge has the first answer. @returns what the exchange makes of it, which is its from now on */
  hedgeAnswered(attempt: Attempt, head: ResponseHead, bytes: Buffer): Reception {
    const nowMs = this.#targetOf().upstream.cluster.nowMs();
    this.#retries.end();
    this.#attempt.drop(this, Outcome.cancelled, nowMs);
    this.#attempt = attempt;
    return this.answer(head, bytes);
  }

  /** Goes on with a hedge in place of the try that failed. @returns is there one? */
  #takeOver(outcome: Outcome, nowMs: number): boolean {
    const attempt = this.#extras?.hedges?.promote(this);
    if (attempt === undefined) return false;
    this.#attempt.finish(outcome, nowMs);
    this.#attempt = attempt;
    return true;
  }

  /** A response is on its way to the client. */
  #accept(nowMs: number): void {
    this.answered = true;
    this.#extras?.hedges?.settle(nowMs);
  }

  #enter(target: Target, nowMs: number): void {
    const { cluster } = target.upstream;
    this.#target = target;
    this.#retries.end();
    const refused = this.#entry.enter(cluster, nowMs);
    if (refused !== undefined) this.#refuse('admission', refused);
    else {
      target.retry.budget.deposit(nowMs);
      this.#try(nowMs);
    }
  }

  #try(nowMs: number): void {
    const { cluster } = this.#targetOf().upstream;
    const { admission } = this.#entry;
    // With somewhere else to go, nobody is asked whose health is ignored.
    const pick = this.#extras?.failover?.hasNext(true) === true ? pickHealthy : pickAdmitted;
    const slot = pick(cluster, admission, this.context, nowMs);
    if (slot !== NO_SLOT) {
      this.#tryOn(slot, nowMs);
      if (this.#extras !== undefined && this.isActive) this.#hedge(this.#extras, nowMs);
    } else if (!this.#failOver(true)) this.#refuse('no-endpoint');
  }

  #tryOn(slot: number, nowMs: number): void {
    const { upstream } = this.#targetOf();
    const attempt = this.#attempt;
    attempt.start(upstream, this.#entry.admission, slot, nowMs);
    const { account } = this.client;
    account.tried(upstream.cluster, slot);
    if (account.trace !== undefined)
      this.#message.bytes = traced(account.trace, { attempt, upstream, slot }, this.message);
    const taken = attempt.take(this);
    const isReady = typeof taken !== 'string' && taken.isReady;
    if (!isReady) this.#message.keep();
    if (taken === 'full') {
      // Nothing is known about the endpoint but that it has enough to do.
      attempt.finish(Outcome.cancelled, nowMs);
      this.#refuse('queue-full');
    } else if (taken === 'queued') {
      this.client.reading.pause();
      this.client.reading.limitWait();
    } else if (taken.isReady) this.connected(taken);
    else this.client.reading.pause();
  }

  #hedge(extras: Extras, nowMs: number): void {
    if (!this.client.requestDone) return;
    const { upstream, retry } = this.#targetOf();
    extras.hedge({ exchange: this, upstream, retry }, this.#entry.admission, nowMs);
  }

  /** Nobody takes the request. */
  #refuse(reason: Refusal, status = 503): void {
    this.#attempt.outcome = Outcome.cancelled;
    this.#release();
    this.client.replies.reply(status, false, reason);
  }

  #isRetried(finished: FinishedTry, nowMs: number): boolean {
    const { retry } = this.#targetOf();
    if (!retry.isRetryable(finished)) return false;
    const replayable = this.client.requestDone && !this.#message.isConsumed;
    const request = { idempotent: this.kind.isRepeatable, replayable };
    return this.#retries.grants(retry, request, finished, this.#attempt.slot, nowMs);
  }

  /** The retry that was granted. @param next the endpoint, if it was looked for already */
  #tryElsewhere(next: number, outcome: Outcome): void {
    this.#host.counters.retryCount++;
    this.#retries.elsewhere(next, {
      nowMs: () => this.#targetOf().upstream.cluster.nowMs(),
      pick: (nowMs) => this.#pickNext(nowMs),
      tryOn: (slot, nowMs) => this.#tryOn(slot, nowMs),
      tryAny: (nowMs) => this.#try(nowMs),
      giveUp: () => {
        const mayTurn = outcome === Outcome.connectFailure && this.#failOver(false);
        if (!mayTurn) this.#giveUp(outcome);
      },
    });
  }

  #pickNext(nowMs: number): number {
    const context = { ...this.context, exclude: this.#retries.excluded };
    return pickAdmitted(this.#targetOf().upstream.cluster, this.#entry.admission, context, nowMs);
  }

  /** Turns to the next cluster, if there is one. Never after the request was seen by an endpoint. */
  #failOver(isAnybodyGood: boolean): boolean {
    const next = this.#extras?.failover?.next(isAnybodyGood);
    if (next === undefined) return false;
    const { cluster } = this.#targetOf().upstream;
    this.#entry.leave(Outcome.cancelled, this.#attempt.startedAtMs, cluster.nowMs());
    this.#host.counters.failoverCount++;
    this.context = contextOn(next, this.context);
    this.client.account.enter(next.meter);
    this.#enter(next, next.upstream.cluster.nowMs());
    return true;
  }

  #giveUp(outcome: Outcome): void {
    this.#release();
    if (this.answered) this.client.cutOff();
    else if (outcome === Outcome.timeout) this.client.replies.reply(504, false, 'upstream-timeout');
    else this.client.replies.reply(502, false, 'upstream-failed');
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
    this.#retries.end();
    this.#freshMs = undefined;
    this.#target = undefined;
    this.context = ANY;
    this.#message.forget();
    this.#extras?.close();
    this.#extras = undefined;
    this.deadlineAtMs = NONE;
  }

  #targetOf(): Target {
    return this.#target as Target;
  }
}
