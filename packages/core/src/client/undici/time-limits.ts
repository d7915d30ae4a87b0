/**
 * The time limits of one request: the deadline of the whole, and that of each try. One timer at a time stands for the
 * nearest of them; it may find that the limit has moved, and is set again.
 */
import { type Dispatcher, errors } from 'undici';
import { NO_DEADLINE } from '../../resilience/deadline.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import type { Attempt } from './attempt.ts';
import type { Limited } from './limit-queue.ts';
import { incomingTimeoutMs, withTimeout } from './request-timeout.ts';
import type { Route } from './route.ts';

/** Whose time it is. */
export interface TimeLimited {
  /** A limit may have passed. */
  onTime(nowMs: number): void;
  /** When the next limit of a try passes, in cluster time; may be infinite. */
  nextDueMs(): number;
}

export class TimeLimits implements Limited {
  limitNext: Limited | undefined = undefined;
  limitPrevious: Limited | undefined = undefined;
  limitDueMs: number | undefined = undefined;
  readonly beganAtMs: number;
  /** When the request has to be done; may be infinite. */
  readonly deadlineAtMs: number;
  /** How long it has in all; may be infinite. */
  readonly totalMs: number;
  /** Time for each try until its response headers; may be infinite. */
  readonly tryLimitMs: number;

  readonly #owner: TimeLimited;
  readonly #route: Route;
  #timer: Timer | undefined = undefined;

  // oxlint-disable-next-line max-params -- made once per request
  constructor(
    owner: TimeLimited,
    route: Route,
    request: Dispatcher.DispatchOptions,
    nowMs: number,
  ) {
    const { rules } = route;
    const { headersTimeout } = request;
    this.#owner = owner;
    this.#route = route;
    const { deadlines, totalMs } = rules;
    const incomingMs = deadlines.config.inherit ? incomingTimeoutMs(request) : undefined;
    this.beganAtMs = nowMs;
    this.deadlineAtMs = deadlines.begin(nowMs, incomingMs);
    this.totalMs = incomingMs !== undefined && incomingMs < totalMs ? incomingMs : totalMs;
    this.tryLimitMs =
      headersTimeout === undefined || headersTimeout === null
        ? rules.tryLimitMs
        : rules.tryLimitOf(headersTimeout);
  }

  /** Is there time enough for a try at all? */
  hasTime(nowMs: number): boolean {
    return (
      this.deadlineAtMs === NO_DEADLINE ||
      this.#route.rules.deadlines.allowsTry(this.deadlineAtMs, nowMs)
    );
  }

  /** A request for its endpoint, told how much time a try that starts at `startedAtMs` has. */
  withTimeLeft(
    request: Dispatcher.DispatchOptions,
    startedAtMs: number,
  ): Dispatcher.DispatchOptions {
    const leftMs = this.#route.rules.deadlines.outgoingMs(this.deadlineAtMs, startedAtMs);
    return leftMs === NO_DEADLINE ? request : withTimeout(request, leftMs);
  }

  /** The first try begins. Most requests have the limits of their route, and share its timer. */
  start(nowMs: number): void {
    const { rules, limits } = this.#route;
    if (this.tryLimitMs === rules.tryLimitMs && this.totalMs === rules.totalMs)
      limits.push(this, nowMs);
    else this.arm(nowMs);
  }

  /** Sets a timer for the nearest limit. A later try has less time than a request that begins now. */
  arm(nowMs: number): void {
    this.stop();
    const dueMs = Math.min(this.deadlineAtMs, this.#owner.nextDueMs());
    if (dueMs === NO_DEADLINE) return;
    this.#timer = this.#route.scheduler.after(dueMs - nowMs, () => this.onLimit());
  }

  stop(): void {
    this.#route.limits.remove(this);
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  onLimit(): void {
    this.#owner.onTime(this.#route.cluster.nowMs());
  }
}

/** What a try fails with whose time is over, in undici's words. @param where `'users' within 30 ms` */
export function timeLimitError({ started, status }: Attempt, where: string): Error {
  if (!started) {
    const text = `no response headers from ${where}: no connection was free or could be made`;
    return new errors.ConnectTimeoutError(text);
  }
  return status === undefined
    ? new errors.HeadersTimeoutError(`no response headers from ${where}`)
    : new errors.BodyTimeoutError(`no complete response from ${where}`);
}
