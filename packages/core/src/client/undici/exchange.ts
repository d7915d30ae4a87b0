/**
 * One request from `dispatch()` to the last byte that its caller gets.
 *
 * ```text
 *   caller ◄──► Exchange ◄──► Tries ◄──► Attempt, Attempt ... ◄──► pools
 *                  │ limits: deadline, time for a try
 *                  │ held: an answer that is not passed on as it comes
 *                  └ admission, fallback
 * ```
 */
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { EvenkeelError } from '../../error/evenkeel-error.ts';
import { Outcome } from '../../model/outcome.ts';
import { AdmissionError } from '../../resilience/admission-error.ts';
import type { Attempt } from './attempt.ts';
import { Caller, type Steered } from './caller.ts';
import type { ExchangeHost } from './exchange-host.ts';
import { isTimeLimit } from './failure.ts';
import { askFallback, bodyOf, type FallbackAnswer, headersOf } from './fallback.ts';
import type { Handler, HeaderRecord } from './handler.ts';
import { HeldResponse, isHoldable } from './held-response.ts';
import { isRepeatable } from './replay.ts';
import { headersWithCookie, rawWithCookie } from './response-cookie.ts';
import type { Route } from './route.ts';
import { type TimeLimited, TimeLimits } from './time-limits.ts';
import { Tries } from './tries.ts';
import type { TriesOwner } from './tries-owner.ts';

/** `replacing`: a fallback is asked. `answering`: response headers were passed on. */
type Phase = 'open' | 'replacing' | 'answering' | 'done';

export interface ExchangeOptions {
  readonly host: ExchangeHost;
  readonly route: Route;
  readonly request: Dispatcher.DispatchOptions;
  /** In the new shape. */
  readonly handler: Handler;
}

export class Exchange implements TriesOwner, Steered, TimeLimited {
  readonly host: ExchangeHost;
  readonly route: Route;
  readonly request: Dispatcher.DispatchOptions;
  readonly caller: Caller;
  readonly limits: TimeLimits;

  readonly #tries: Tries;
  #phase: Phase = 'open';
  #held: HeldResponse | undefined = undefined;
  /** When it was let in; undefined before, and when it was not. */
  #admittedMs: number | undefined = undefined;

  constructor({ host, route, request, handler }: ExchangeOptions) {
    this.host = host;
    this.route = route;
    this.request = request;
    this.caller = new Caller(handler, this);
    this.limits = new TimeLimits(this, route, request, route.cluster.nowMs());
    this.#tries = new Tries(this);
  }

  /** Starts the first try, or waits for discovery. @returns false when the connections to the endpoint are all busy */
  begin(): boolean {
    const { route, limits } = this;
    const nowMs = limits.beganAtMs;
    try {
      this.caller.requestStart();
      // The callback may have aborted.
      if (this.#isDone()) return true;
      route.admit(this.request, nowMs);
      this.#admittedMs = nowMs;
    } catch (error) {
      // What a callback throws is no failure of the cluster's.
      if (error instanceof AdmissionError) this.#fail(error);
      else this.#end(error as Error);
      return true;
    }
    route.rules.budget.deposit(nowMs);
    if (!limits.hasTime(nowMs)) {
      this.#expire(nowMs);
      return true;
    }
    let free = true;
    try {
      free = this.#tries.begin(nowMs);
    } catch (error) {
      // Whoever says what is asked for (a key, a subset) or picks may be somebody else's code.
      this.#end(error as Error);
    }
    if (!this.#isDone()) limits.start(nowMs);
    return free;
  }

  onAbort(reason: Error): void {
    const late = isTimeLimit(reason) && this.#phase === 'open';
    const outcome = late ? Outcome.timeout : Outcome.cancelled;
    this.#tries.abandon(() => outcome, reason);
    this.#end(reason);
  }

  onPause(): void {
    if (this.#phase === 'answering') this.#hush();
  }

  onResume(): void {
    if (this.#phase === 'answering' && this.#held !== undefined) this.#drain();
    else this.#tries.attempt?.controller?.resume();
  }

  onTime(nowMs: number): void {
    if (nowMs >= this.limits.deadlineAtMs) {
      this.#expire(nowMs);
      return;
    }
    if (this.#phase === 'open') this.#tries.onTime(nowMs);
    if (!this.#isDone()) this.limits.arm(nowMs);
  }

  nextDueMs(): number {
    return this.#tries.nextDueMs();
  }

  onInformation(attempt: Attempt): void {
    this.caller.rawHeaders = attempt.controller?.rawHeaders ?? null;
    this.caller.responseStart(attempt.status as number, attempt.headers, attempt.statusText);
  }

  onAnswer(attempt: Attempt): void {
    const { holdResponseBytes } = this.route.rules;
    if (
      holdResponseBytes > 0 &&
      isRepeatable(this.request) &&
      isHoldable(attempt.headers, holdResponseBytes)
    )
      this.#held = new HeldResponse(holdResponseBytes);
    else this.#passOn(attempt);
  }

  onTakenBack(): void {
    this.#held = undefined;
  }

  onData(attempt: Attempt, chunk: Buffer): void {
    const held = this.#held;
    if (held === undefined) this.caller.responseData(chunk);
    else if (!held.push(chunk) && this.#phase === 'open') {
      this.#passOn(attempt);
      this.#drain();
    }
  }

  onEnd(attempt: Attempt, trailers: HeaderRecord): void {
    this.caller.rawTrailers = attempt.controller?.rawTrailers ?? null;
    // If it throws, undici reports the error back through the try, and the exchange fails with it.
    if (this.#held === undefined) {
      this.caller.responseEnd(trailers);
      this.#finish();
      return;
    }
    this.#held.end(trailers);
    if (this.#phase === 'open') this.#passOn(attempt);
    this.#drain();
  }

  onUpgraded(attempt: Attempt, socket: Duplex): void {
    this.#phase = 'answering';
    this.caller.rawHeaders = attempt.controller?.rawHeaders ?? null;
    this.caller.requestUpgrade(attempt.status as number, attempt.headers, socket);
    this.#finish();
  }

  onExhausted(error: Error): void {
    this.#fail(error);
  }

  /** From here on the caller sees the response. */
  #passOn(attempt: Attempt): void {
    const { caller } = this;
    this.#phase = 'answering';
    this.#tries.commit();
    const { controller, headers, statusText } = attempt;
    const status = attempt.status as number;
    const cookie = this.#tries.setCookieOf(attempt);
    const raw = controller?.rawHeaders ?? null;
    caller.rawHeaders = cookie === undefined ? raw : rawWithCookie(raw, cookie);
    caller.responseStart(
      status,
      cookie === undefined ? headers : headersWithCookie(headers, cookie),
      statusText,
    );
    if (caller.paused) this.#hush();
  }

  /** Stops the endpoint from sending more. What has come to its end must not stop the connection's next request. */
  #hush(): void {
    const { attempt } = this.#tries;
    if (attempt?.settled === false) attempt.controller?.pause();
  }

  /** Hands over what was held, as far as the caller takes it. */
  #drain(): void {
    const held = this.#held as HeldResponse;
    if (this.#isDone() || !held.drain(this.caller) || this.#isDone()) return;
    this.#held = undefined;
    if (held.trailers === undefined) {
      this.#tries.attempt?.controller?.resume();
      return;
    }
    this.caller.responseEnd(held.trailers);
    this.#finish();
  }

  #expire(nowMs: number): void {
    const { route, limits } = this;
    const { deadlines, counters } = route.rules;
    counters.deadlineCount++;
    const error = new EvenkeelError(
      'EVENKEEL_DEADLINE',
      `cluster '${route.name}': no complete response within ${limits.totalMs} ms`,
      { cluster: route.name, cause: this.#tries.lastError },
    );
    // A caller that does not read its response has used up its time itself.
    const ownFault = this.#phase === 'answering' && this.caller.paused;
    this.#tries.abandon(
      ({ startedAtMs }) =>
        ownFault
          ? Outcome.cancelled
          : deadlines.outcomeOfTimeout(nowMs - startedAtMs, limits.tryLimitMs),
      error,
    );
    this.#fail(error);
  }

  /** Without an answer, unless a fallback has one. */
  #fail(error: Error): void {
    const { fallback } = this.route.rules;
    if (fallback === undefined || this.#phase !== 'open' || this.#isOwnFault(error)) {
      this.#end(error);
      return;
    }
    this.#phase = 'replacing';
    this.#tries.stop();
    this.limits.stop();
    askFallback(fallback, { error, request: this.request }, (answer) => {
      if (this.#phase !== 'replacing') return;
      if (answer === undefined) this.#end(error);
      else this.caller.run(this.#replace, this, answer);
    });
  }

  /** Does the failure come from this side: a request that cannot be sent, a body that fails, the end of the dispatcher? */
  #isOwnFault(error: Error): boolean {
    if (this.host.destroyed) return true;
    return this.#tries.attempt?.outcome === Outcome.cancelled && !(error instanceof EvenkeelError);
  }

  #replace(answer: FallbackAnswer): void {
    this.route.rules.counters.fallbackCount++;
    this.#phase = 'answering';
    const { parsed, raw } = headersOf(answer);
    const body = bodyOf(answer);
    const held = new HeldResponse(0);
    if (body !== undefined) held.push(body);
    held.end({});
    this.#held = held;
    try {
      this.caller.rawHeaders = raw;
      this.caller.responseStart(answer.statusCode, parsed, '');
      this.#drain();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error): void {
    if (this.#isDone()) return;
    this.#finish();
    this.caller.responseError(error);
  }

  #finish(): void {
    if (this.#isDone()) return;
    this.#phase = 'done';
    this.#held?.drop();
    this.#held = undefined;
    this.#tries.stop();
    this.limits.stop();
    this.caller.release();
    if (this.#admittedMs !== undefined) this.route.complete(this.#tries.attempt, this.#admittedMs);
    this.route.ended();
    this.host.ended();
  }

  /** A method, because TypeScript would otherwise believe that the phase stands still over callbacks. */
  #isDone(): boolean {
    return this.#phase === 'done';
  }
}
