/**
 * One request over all its tries.
 *
 * ```text
 *  begin ──► trying ──► answering ──► done      answering: response headers were passed on, no retry any more
 *    │        ▲  │          │           ▲
 *    ▼        │  ▼          └───────────┤ error, abort, deadline: from everywhere
 *   waiting ──┴──┘ ─────────────────────┘       waiting: for discovery, or between two tries
 * ```
 */
import type { Duplex } from 'node:stream';
import { type Dispatcher, errors } from 'undici';
import { EvenkeelError } from '../../error/evenkeel-error.ts';
import { PickError } from '../../error/pick-error.ts';
import { Outcome } from '../../model/outcome.ts';
import { ANY, NO_SLOT, type PickContext } from '../../model/pick-context.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { Caller, type Steered } from './caller.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { isTimeLimit } from './failure.ts';
import type { Handler, HeaderRecord, RawOfController } from './handler.ts';
import { Hold } from './hold.ts';
import type { Limited } from './limit-queue.ts';
import type { DispatchableCluster } from './options.ts';
import { isReplayable } from './request-body.ts';
import { isRepeatable } from './retry-rules.ts';
import { NO_PROBE, RetryState } from './retry-state.ts';
import type { Route, Waiter } from './route.ts';

type Phase = 'waiting' | 'trying' | 'answering' | 'done';

export interface ExchangeOptions {
  readonly host: ExchangeHost;
  readonly route: Route;
  readonly request: Dispatcher.DispatchOptions;
  /** In the new shape. */
  readonly handler: Handler;
}

export class Exchange implements AttemptOwner, Steered, Limited, Waiter {
  readonly cluster: DispatchableCluster;
  readonly host: ExchangeHost;
  /** Is the body sent piece by piece, at the caller's pace? */
  readonly streaming: boolean;
  limitNext: Limited | undefined = undefined;
  limitPrevious: Limited | undefined = undefined;
  limitDueMs: number | undefined = undefined;

  readonly #route: Route;
  readonly #request: Dispatcher.DispatchOptions;
  readonly #caller: Caller;
  readonly #tryLimitMs: number;
  #phase: Phase = 'waiting';
  #attempt: Attempt | undefined = undefined;
  /** Made when it is first needed: most requests succeed at once. */
  #retry: RetryState | undefined = undefined;
  #deadlineAtMs = Number.POSITIVE_INFINITY;
  #tryDueAtMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined = undefined;
  #hold: Hold | undefined = undefined;

  constructor({ host, route, request, handler }: ExchangeOptions) {
    this.host = host;
    this.cluster = route.cluster;
    this.streaming = !isReplayable(request.body);
    this.#route = route;
    this.#caller = new Caller(handler, this);
    const limitMs = request.headersTimeout ?? host.config.headersTimeoutMs;
    this.#tryLimitMs = limitMs > 0 ? limitMs : Number.POSITIVE_INFINITY;
    // Only undici can tell an endpoint that does not read an upload from a caller that does not go on with it.
    this.#request = this.streaming ? { ...request, headersTimeout: Math.ceil(limitMs) } : request;
  }

  /** Starts the first try, or waits for discovery. @returns false when the connections to the endpoint are all busy */
  begin(): boolean {
    const { config, budget } = this.host;
    const nowMs = this.cluster.nowMs();
    if (config.deadlineMs !== undefined) this.#deadlineAtMs = nowMs + config.deadlineMs;
    budget.deposit(nowMs);
    try {
      this.#caller.requestStart();
    } catch (error) {
      this.#fail(error as Error);
    }
    // The callback may have aborted.
    if (this.#isDone()) return true;
    this.#startLimit(nowMs);
    return this.#try(this.#firstContext(), nowMs);
  }

  onAbort(reason: Error): void {
    const late = isTimeLimit(reason) && this.#phase !== 'answering';
    this.#giveUp(late ? Outcome.timeout : Outcome.cancelled, reason);
  }

  onPause(): void {
    if (this.#phase === 'answering') this.#attempt?.controller?.pause();
  }

  onResume(): void {
    this.#attempt?.controller?.resume();
  }

  onReady(): void {
    this.#tryAgain();
  }

  /** The dispatcher is being destroyed while this waits; live tries hear of it through their connections. */
  onDestroy(error: Error): void {
    this.#fail(error);
  }

  onLimit(): void {
    const nowMs = this.cluster.nowMs();
    if (nowMs >= this.#deadlineAtMs) this.#expire();
    else if (this.#phase === 'answering' || nowMs < this.#tryDueAtMs || this.#extendTry(nowMs))
      this.#arm(nowMs);
    else this.#tryExpired(nowMs);
  }

  onBodySent(chunk: Buffer): void {
    this.#caller.bodySent(chunk);
  }

  onRequestSent(): void {
    this.#caller.requestSent();
  }

  onResponseStarted(): void {
    this.#caller.responseStarted();
  }

  onHeaders(status: number, headers: HeaderRecord, statusText: string | undefined): void {
    const attempt = this.#attempt as Attempt;
    if (status >= 200) {
      if (this.host.config.retry.statuses.has(status) && this.#retryStatus(attempt)) return;
      this.#phase = 'answering';
      this.#tryDueAtMs = Number.POSITIVE_INFINITY;
    }
    const caller = this.#caller;
    caller.rawHeaders = attempt.controller?.rawHeaders ?? null;
    caller.responseStart(status, headers, statusText);
    if (caller.paused) attempt.controller?.pause();
  }

  onData(chunk: Buffer): void {
    this.#caller.responseData(chunk);
  }

  onEnd(trailers: HeaderRecord, raw: RawOfController): void {
    this.#caller.rawTrailers = raw;
    // If it throws, undici reports the error back through the try, and the exchange fails with it.
    this.#caller.responseEnd(trailers);
    this.#finish();
  }

  onUpgraded(status: number, headers: HeaderRecord, socket: Duplex): void {
    this.#phase = 'answering';
    this.#caller.rawHeaders = this.#attempt?.controller?.rawHeaders ?? null;
    this.#caller.requestUpgrade(status, headers, socket);
    this.#finish();
  }

  onFailed(attempt: Attempt, error: Error, outcome: Outcome): void {
    this.#attempt = undefined;
    const { started, slot } = attempt;
    if (this.#phase === 'answering' || !this.#retries().allows({ outcome, started })) {
      this.#fail(error);
      return;
    }
    const retry = this.#retries();
    retry.count(error);
    retry.exclude(slot);
    // An endpoint that did not answer in time is busy enough.
    retry.mayReuse = outcome !== Outcome.timeout;
    // The first retry goes elsewhere at once. A second one means that more is wrong than one endpoint.
    this.#pauseThenTry(retry.used === 1 ? 0 : retry.pauseMs());
  }

  #retries(): RetryState {
    this.#retry ??= new RetryState(this.host, this.cluster, this.#request);
    return this.#retry;
  }

  /** What the first pick depends on. Without an affinity key it allocates nothing. */
  #firstContext(): PickContext {
    if (this.cluster.hashKeySource !== undefined) return this.#retries().context();
    return isRepeatable(this.#request) ? ANY : NO_PROBE;
  }

  /** Picks and sends. @returns false when the connections to the endpoint are all busy */
  #try(context: PickContext, nowMs: number): boolean {
    const slot = this.cluster.pick(context, nowMs);
    if (slot !== NO_SLOT) return this.#send(this.#attemptOn(slot, nowMs));
    this.#noSlot();
    return true;
  }

  #tryAgain(): void {
    if (this.#isDone()) return;
    this.#letGo();
    const nowMs = this.cluster.nowMs();
    this.#restartLimit(nowMs);
    this.#caller.run(this.#try, this, this.#retries().context(), nowMs);
  }

  #noSlot(): void {
    const failure = this.cluster.pickFailure();
    if (failure === 'not-ready') {
      if (this.#route.waitReady(this)) this.#holdOn();
      else this.#fail(new PickError(this.#route.name, failure));
    } else if (failure === 'no-eligible-endpoint' && this.#retry?.forgetExcluded() === true) {
      // Only endpoints that failed this request are left: the same one again, after a pause.
      this.#pauseThenTry(this.#retry.pauseMs());
    } else {
      this.#fail(this.#retry?.lastError ?? new PickError(this.#route.name, failure));
    }
  }

  #attemptOn(slot: number, nowMs: number): Attempt {
    const attempt = new Attempt(this, slot, nowMs);
    this.#attempt = attempt;
    return attempt;
  }

  #send(attempt: Attempt): boolean {
    this.#phase = 'trying';
    let free = true;
    try {
      free = this.#route.send(attempt, this.#request);
    } catch (error) {
      attempt.onResponseError(null, error as Error);
    }
    // undici says "busy" of a request that it refused, but no drain event would follow.
    return free || this.#isDone();
  }

  /** A response that is better tried elsewhere is swallowed. @returns whether it was */
  #retryStatus(attempt: Attempt): boolean {
    const retry = this.#retries();
    if (!retry.allowsResponse()) return false;
    const nowMs = this.cluster.nowMs();
    retry.exclude(attempt.slot);
    const slot = this.cluster.pick(retry.context(), nowMs);
    if (slot !== NO_SLOT) {
      this.#swallow(attempt);
      const next = this.#attemptOn(slot, nowMs);
      this.#restartLimit(nowMs);
      // Not from within undici's parser.
      this.host.runtime.scheduler.soon(() => {
        if (this.#attempt === next) this.#caller.run(this.#send, this, next);
      });
      return true;
    }
    // The only endpoint says when to come back: worth waiting for if that is soon.
    const delayMs = attempt.retryAfterMs;
    if (delayMs === undefined || !retry.worthWaiting(delayMs, this.#deadlineAtMs - nowMs))
      return false;
    retry.mayReuse = true;
    retry.forgetExcluded();
    this.#swallow(attempt);
    this.#pauseThenTry(delayMs);
    return true;
  }

  #swallow(attempt: Attempt): void {
    this.#retries().count(undefined);
    this.#attempt = undefined;
    attempt.discard();
  }

  #pauseThenTry(pauseMs: number): void {
    const lastError = this.#retry?.lastError;
    if (lastError !== undefined && this.cluster.nowMs() + pauseMs >= this.#deadlineAtMs) {
      this.#fail(lastError);
      return;
    }
    this.#tryDueAtMs = Number.POSITIVE_INFINITY;
    this.#route.pause(this);
    // Never in the same stack: undici asserts that a failing client got no new request meanwhile.
    this.#holdOn().after(pauseMs, () => this.#tryAgain());
  }

  #holdOn(): Hold {
    this.#phase = 'waiting';
    const { scheduler } = this.host.runtime;
    this.#hold = new Hold(scheduler, this.#request.body, (error) => this.#fail(error));
    return this.#hold;
  }

  #letGo(): void {
    this.#route.leave(this);
    this.#hold?.end();
    this.#hold = undefined;
  }

  /** Most requests have the limits of their route, and share its timer. */
  #startLimit(nowMs: number): void {
    this.#tryDueAtMs = nowMs + this.#tryLimitMs;
    if (this.#tryLimitMs === this.#route.tryLimitMs) this.#route.limits.push(this, nowMs);
    else this.#arm(nowMs);
  }

  /** A later try has less time than a request that begins now, and a timer of its own. */
  #restartLimit(nowMs: number): void {
    this.#route.limits.remove(this);
    this.#timer?.cancel();
    this.#tryDueAtMs = nowMs + this.#tryLimitMs;
    this.#arm(nowMs);
  }

  /** A timer for the nearest limit. It may find that the limit has moved, and is set again. */
  #arm(nowMs: number): void {
    const dueMs = Math.min(this.#deadlineAtMs, this.#tryDueAtMs);
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.host.runtime.scheduler.after(dueMs - nowMs, () => this.onLimit());
  }

  /** A body that is still being sent is the caller's time; the endpoint's begins afterwards. */
  #extendTry(nowMs: number): boolean {
    const attempt = this.#attempt;
    if (attempt === undefined) return false;
    const sinceMs = attempt.uploading ? nowMs : attempt.awaitingSinceMs;
    this.#tryDueAtMs = sinceMs + this.#tryLimitMs;
    return this.#tryDueAtMs > nowMs;
  }

  #tryExpired(nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined) {
      this.#fail(new PickError(this.#route.name, 'not-ready'));
      return;
    }
    const text = `no response headers from '${this.#route.name}' within ${this.#tryLimitMs} ms`;
    const error = attempt.started
      ? new errors.HeadersTimeoutError(text)
      : new errors.ConnectTimeoutError(`${text}: no connection was free or could be made`);
    if (attempt.started) attempt.carrier?.suspect();
    attempt.abandon(Outcome.timeout, error);
    this.onFailed(attempt, error, Outcome.timeout);
    if (!this.#isDone()) this.#arm(nowMs);
  }

  #expire(): void {
    const { name } = this.#route;
    const error = new EvenkeelError(
      'EVENKEEL_DEADLINE',
      `cluster '${name}': no complete response within ${this.host.config.deadlineMs ?? 0} ms`,
      { cluster: name, cause: this.#retry?.lastError },
    );
    // A caller that does not read its response has used up its time itself.
    const ownFault = this.#phase === 'answering' && this.#caller.paused;
    this.#giveUp(ownFault ? Outcome.cancelled : Outcome.timeout, error);
  }

  #giveUp(outcome: Outcome, error: Error): void {
    this.#attempt?.abandon(outcome, error);
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#isDone()) return;
    this.#finish();
    this.#caller.responseError(error);
  }

  #finish(): void {
    if (this.#isDone()) return;
    if (this.#phase === 'waiting') this.#letGo();
    this.#phase = 'done';
    this.#attempt = undefined;
    this.#route.limits.remove(this);
    this.#timer?.cancel();
    this.#caller.release();
    this.host.ended();
  }

  /** A method, because TypeScript would otherwise believe that the phase stands still over callbacks. */
  #isDone(): boolean {
    return this.#phase === 'done';
  }
}
