/**
 * The tries of one request, one after the other and beside each other, until one has an answer to pass on.
 *
 * ```text
 *   begin ──► trying ──── answer ───► committed     its response is being passed on: no other try any more
 *     │        ▲  │
 *     ▼        │  ▼ bad answer, failure
 *    waiting ──┴──┘                                 for discovery, or between two tries
 * ```
 *
 * Whom to try next is the matter of {@link TryPlan}, and tries beside each other that of {@link Hedging}: both are made
 * only where they are needed.
 */
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { PickError } from '../../error/pick-error.ts';
import { Outcome } from '../../model/outcome.ts';
import { ANY, NO_SLOT } from '../../model/pick-context.ts';
import { NO_DEADLINE } from '../../resilience/deadline.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { ExchangeHost } from './exchange-host.ts';
import type { HeaderRecord } from './handler.ts';
import { type Hedger, Hedging } from './hedging.ts';
import { type Held, Hold } from './hold.ts';
import { finishedTry, isRepeatable } from './replay.ts';
import { isReplayable } from './request-body.ts';
import type { DispatchableCluster } from './route-options.ts';
import { timeLimitError } from './time-limits.ts';
import type { TriesOwner } from './tries-owner.ts';
import { NO_PROBE, TryPlan } from './try-plan.ts';

type Phase = 'waiting' | 'trying' | 'committed' | 'done';

export class Tries implements AttemptOwner, Hedger, Held {
  readonly cluster: DispatchableCluster;
  readonly host: ExchangeHost;
  /** Is the body sent piece by piece, at the caller's pace? */
  readonly streaming: boolean;

  readonly #owner: TriesOwner;
  readonly #request: Dispatcher.DispatchOptions;
  #phase: Phase = 'waiting';
  /** The try that answers, or the one that began last. */
  #attempt: Attempt | undefined = undefined;
  #plan: TryPlan | undefined = undefined;
  #hedging: Hedging | undefined = undefined;
  #hold: Hold | undefined = undefined;

  constructor(owner: TriesOwner) {
    const { host, route, request } = owner;
    this.#owner = owner;
    this.host = host;
    this.cluster = route.cluster;
    this.streaming = !isReplayable(request.body);
    const limitMs = request.headersTimeout ?? host.config.headersTimeoutMs;
    // Only undici can tell an endpoint that does not read an upload from a caller that does not go on with it.
    this.#request = this.streaming ? { ...request, headersTimeout: Math.ceil(limitMs) } : request;
  }

  /** The try that answers, or the one that began last. */
  get attempt(): Attempt | undefined {
    return this.#attempt;
  }

  get body(): Dispatcher.DispatchOptions['body'] {
    return this.#request.body;
  }

  get lastError(): Error | undefined {
    return this.#plan?.lastError;
  }

  /** Starts the first try, or waits for discovery. @returns false when the connections to the endpoint are all busy */
  begin(nowMs: number): boolean {
    const { looksAtRequests, hedge } = this.#owner.route.rules;
    if (looksAtRequests) this.#planned();
    if (hedge !== undefined && isRepeatable(this.#request)) {
      this.#hedging = new Hedging(hedge, this.#planned(), this.host.runtime.scheduler, this);
    }
    return this.#try(nowMs, false);
  }

  /** The answer is being passed on. */
  commit(): void {
    this.#phase = 'committed';
  }

  /** The cookie for the response of a try, if one is due. */
  setCookieOf({ slot }: Attempt): string | undefined {
    return this.#plan?.setCookie(slot);
  }

  /** Ends all that runs. @param outcomeOf how it counts for the endpoint of a try */
  abandon(outcomeOf: (attempt: Attempt) => Outcome, reason: Error): void {
    for (const attempt of this.#running()) attempt.abandon(outcomeOf(attempt), reason);
    this.stop();
  }

  /** The exchange has ended. */
  stop(): void {
    if (this.#phase === 'waiting') this.#letGo();
    this.#phase = 'done';
    this.#hedging?.stop();
  }

  /** A limit of a try, or of waiting for discovery, may have passed. */
  onTime(nowMs: number): void {
    if (this.#phase === 'trying') {
      const { tryLimitMs } = this.#owner.limits;
      for (const attempt of this.#running()) {
        if (nowMs >= attempt.dueAtMs && !attempt.extend(nowMs, tryLimitMs)) this.#expire(attempt);
      }
    } else if (this.#phase === 'waiting' && nowMs >= this.nextDueMs()) {
      this.#owner.onExhausted(new PickError(this.#owner.route.name, 'not-ready'));
    }
  }

  /** When the next of these limits passes. */
  nextDueMs(): number {
    switch (this.#phase) {
      case 'waiting':
        return this.#hold?.dueAtMs ?? NO_DEADLINE;
      case 'trying':
        return Math.min(...this.#running().map(({ dueAtMs }) => dueAtMs));
      case 'committed':
      case 'done':
        return NO_DEADLINE;
    }
  }

  /** Discovery has delivered, or the pause between two tries is over. */
  onReady(): void {
    this.#tryAgain();
  }

  onBodyError(error: Error): void {
    this.#owner.onExhausted(error);
  }

  /** The dispatcher is being destroyed while this waits; live tries hear of it through their connections. */
  onDestroy(error: Error): void {
    this.#owner.onExhausted(error);
  }

  onHedgeDue(): void {
    const hedging = this.#hedging as Hedging;
    const nowMs = this.cluster.nowMs();
    if (this.#phase !== 'trying' || this.host.destroyed || !hedging.mayHedge(nowMs)) return;
    for (const { slot } of hedging.running) this.#planned().exclude(slot);
    const attempt = this.#enter(nowMs, true);
    if (attempt === undefined) {
      this.#planned().refusal = undefined;
      hedging.giveBack(nowMs);
      return;
    }
    hedging.join(attempt, nowMs);
    this.#owner.caller.run(this.#send, this, attempt);
    if (!this.#isDone()) this.#owner.limits.arm(nowMs);
  }

  onBodySent(attempt: Attempt, chunk: Buffer): void {
    // Of tries beside each other, the caller hears of one.
    if (attempt === this.#attempt) this.#owner.caller.bodySent(chunk);
  }

  onRequestSent(attempt: Attempt): void {
    if (attempt === this.#attempt) this.#owner.caller.requestSent();
  }

  onResponseStarted(attempt: Attempt): void {
    if (attempt === this.#attempt) this.#owner.caller.responseStarted();
  }

  onHeaders(attempt: Attempt): void {
    const status = attempt.status as number;
    if (status < 200) {
      if (attempt === this.#attempt) this.#owner.onInformation(attempt);
      return;
    }
    if ((status >= 400 || attempt.grpcCode !== undefined) && this.#swallows(attempt)) return;
    this.#win(attempt);
    this.#owner.onAnswer(attempt);
  }

  onData(attempt: Attempt, chunk: Buffer): void {
    this.#owner.onData(attempt, chunk);
  }

  onEnd(attempt: Attempt, trailers: HeaderRecord): void {
    this.#owner.onEnd(attempt, trailers);
  }

  onUpgraded(attempt: Attempt, socket: Duplex): void {
    this.#win(attempt);
    this.commit();
    this.#owner.onUpgraded(attempt, socket);
  }

  onFailed(attempt: Attempt, error: Error): void {
    if (this.#phase === 'committed') {
      this.#owner.onExhausted(error);
      return;
    }
    this.#owner.onTakenBack();
    const plan = this.#planned();
    plan.lastError = error;
    if (this.#hedging?.goesOnWithout(attempt) === true) plan.exclude(attempt.slot);
    else if (!this.host.destroyed && plan.mayRetry(attempt, this.cluster.nowMs()))
      this.#pauseThenTry(plan.delayMs);
    else this.#owner.onExhausted(error);
  }

  #planned(): TryPlan {
    const { route, limits } = this.#owner;
    this.#plan ??= new TryPlan(this.cluster, route.rules, this.#request, limits.deadlineAtMs);
    return this.#plan;
  }

  #running(): readonly Attempt[] {
    const beside = this.#hedging?.running;
    if (beside !== undefined && beside.length > 0) return beside;
    return this.#attempt === undefined ? [] : [this.#attempt];
  }

  /** Picks and sends. @returns false when the connections to the endpoint are all busy */
  #try(nowMs: number, extra: boolean): boolean {
    const attempt = this.#enter(nowMs, extra);
    if (attempt === undefined) {
      this.#nobody(nowMs);
      return true;
    }
    this.#start(attempt, nowMs);
    return this.#send(attempt);
  }

  /** A try on an endpoint that lets it in, counted but not sent; undefined when there is none. */
  #enter(nowMs: number, extra: boolean): Attempt | undefined {
    const { admission } = this.cluster;
    if (extra && admission?.tryExtra() === false) {
      this.#planned().refusal = this.#owner.route.refusal('retries and hedges');
      return undefined;
    }
    const slot = this.#take(nowMs);
    if (slot === NO_SLOT) {
      if (extra) admission?.endExtra();
      return undefined;
    }
    const attempt = new Attempt(this, slot, nowMs);
    attempt.extra = extra;
    attempt.dueAtMs = nowMs + this.#owner.limits.tryLimitMs;
    return attempt;
  }

  #take(nowMs: number): number {
    if (this.#plan !== undefined) return this.#plan.take(nowMs);
    const { admission } = this.cluster;
    const slot = this.cluster.pick(isRepeatable(this.#request) ? ANY : NO_PROBE, nowMs);
    if (admission === undefined || slot === NO_SLOT || admission.enter(slot, nowMs)) return slot;
    return this.#planned().take(nowMs);
  }

  #start(attempt: Attempt, nowMs: number): void {
    this.#phase = 'trying';
    this.#attempt = attempt;
    this.#hedging?.begin(attempt, nowMs);
  }

  #tryAgain(): void {
    if (this.#isDone()) return;
    this.#letGo();
    const nowMs = this.cluster.nowMs();
    const { caller, limits } = this.#owner;
    caller.run(this.#try, this, nowMs, this.#plan?.retrying === true);
    if (!this.#isDone()) limits.arm(nowMs);
  }

  /** No endpoint takes a try. */
  #nobody(nowMs: number): void {
    const [owner, plan] = [this.#owner, this.#plan];
    const { route } = owner;
    if (plan?.refusal !== undefined) {
      if (plan.retrying) plan.decline(nowMs);
      owner.onExhausted(plan.lastError ?? plan.refusal);
      return;
    }
    const failure = this.cluster.pickFailure();
    if (failure === 'not-ready') {
      this.#hold = Hold.forDiscovery(route, this, nowMs + owner.limits.tryLimitMs);
      if (this.#hold !== undefined) {
        this.#phase = 'waiting';
        return;
      }
    }
    if (failure === 'no-eligible-endpoint' && plan?.mayReturn(nowMs) === true) {
      this.#pauseThenTry(plan.delayMs);
    } else owner.onExhausted(plan?.lastError ?? new PickError(route.name, failure));
  }

  #send(attempt: Attempt): boolean {
    const { route, limits } = this.#owner;
    let free = true;
    try {
      free = route.send(attempt, limits.withTimeLeft(this.#request, attempt.startedAtMs));
    } catch (error) {
      attempt.onResponseError(null, error as Error);
    }
    if (!attempt.waitsWell()) {
      const refusal = route.refusal('requests that wait for a connection');
      attempt.abandon(Outcome.cancelled, refusal);
      this.onFailed(attempt, refusal);
    }
    // undici says "busy" of a request that it refused, but no drain event would follow.
    return free || this.#isDone();
  }

  /** Is a response better tried elsewhere? Then the caller does not get to see it. */
  #swallows(attempt: Attempt): boolean {
    const { retry } = this.#owner.route.rules;
    if (!retry.isRetryable(finishedTry(attempt, this.#request.body))) return false;
    if (this.#hedging?.goesOnWithout(attempt) === true) {
      this.#planned().exclude(attempt.slot);
      attempt.discard();
      return true;
    }
    const nowMs = this.cluster.nowMs();
    const plan = this.#planned();
    if (this.host.destroyed || !plan.mayRetry(attempt, nowMs)) return false;
    if (plan.delayMs === 0 && this.#movesOn(attempt, nowMs)) return true;
    if (plan.delayMs === 0 || !plan.hasElsewhere(nowMs)) {
      if (plan.refusal !== undefined) plan.decline(nowMs);
      // The only endpoint may say when to come back.
      else if (plan.mayReturn(nowMs)) return this.#swallow(attempt, plan.delayMs);
      return false;
    }
    return this.#swallow(attempt, plan.delayMs);
  }

  /** Goes to another endpoint at once. @returns false when there is none */
  #movesOn(attempt: Attempt, nowMs: number): boolean {
    const next = this.#enter(nowMs, true);
    if (next === undefined) return false;
    attempt.discard();
    this.#start(next, nowMs);
    this.#owner.limits.arm(nowMs);
    // Not from within undici's parser.
    this.host.runtime.scheduler.soon(() => {
      if (this.#attempt === next && !next.settled) this.#owner.caller.run(this.#send, this, next);
    });
    return true;
  }

  #swallow(attempt: Attempt, pauseMs: number): true {
    attempt.discard();
    this.#pauseThenTry(pauseMs);
    return true;
  }

  #pauseThenTry(pauseMs: number): void {
    this.#phase = 'waiting';
    // Never in the same stack: undici asserts that a failing client got no new request meanwhile.
    this.#hold = Hold.between(this.#owner.route, this, pauseMs);
  }

  #letGo(): void {
    this.#hold?.end();
    this.#hold = undefined;
  }

  /** A good answer, or the last one: other tries are given up. */
  #win(attempt: Attempt): void {
    this.#attempt = attempt;
    if (this.#hedging?.win(attempt, this.cluster.nowMs()) === true)
      this.#owner.route.rules.counters.hedgeWinCount++;
  }

  #expire(attempt: Attempt): void {
    const { route, limits } = this.#owner;
    const error = timeLimitError(attempt, `'${route.name}' within ${limits.tryLimitMs} ms`);
    if (attempt.started) attempt.carrier?.suspect();
    attempt.abandon(Outcome.timeout, error);
    this.onFailed(attempt, error);
  }

  /** A method, because TypeScript would otherwise believe that the phase stands still over callbacks. */
  #isDone(): boolean {
    return this.#phase === 'done';
  }
}
