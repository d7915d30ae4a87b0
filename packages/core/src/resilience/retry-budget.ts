/**
 * How many retries all requests together may cause. Retries help when a few endpoints fail and hurt when all do: three
 * tries each would turn an outage into a threefold load just when there is no capacity. A budget lets retries through
 * in proportion to the first tries of the last seconds, plus a few per second so that a quiet client may retry at all:
 *
 * ```text
 * retries(window) <= ratio * first tries(window) + minPerSecond * window
 * ```
 *
 * The idea and the default numbers follow Finagle's RetryBudget (20 %, 10 per second, 10 s). Counting over a window
 * instead of filling a bucket means that a burst is judged by the traffic that caused it: when a host dies with 300
 * requests in flight at 10,000 requests per second, all 300 may be retried at once.
 *
 * ```text
 * window of 10 s   [ d w ][ d w ][ d w ] ... [ d w ]     d first tries, w retries of one second
 *                    ▲ oldest, forgotten next    ▲ now
 * ```
 */
import { configError } from '../error/config-error.ts';

export interface RetryBudgetOptions {
  /** Retries allowed per first try, 0..10. Default 0.2: at most 20 % more load. */
  readonly ratio?: number | undefined;
  /** Retries allowed per second whatever the traffic, 0..1,000,000. Default 10. */
  readonly minPerSecond?: number | undefined;
  /** Seconds that the budget looks back, an integer 1..60. Default 10. */
  readonly windowSeconds?: number | undefined;
}

const SECOND_MS = 1_000;

/** Pure: time comes in with every call, in milliseconds of any clock that does not go back. */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  readonly #deposits: Float64Array;
  readonly #withdrawals: Float64Array;
  /** The second, counted from the clock's zero, that the newest entry stands for. */
  #second = Number.NEGATIVE_INFINITY;
  #depositSum = 0;
  #withdrawalSum = 0;

  /** @throws ConfigError naming the option, its range and the value found */
  constructor(options: RetryBudgetOptions = {}) {
    const { ratio = 0.2, minPerSecond = 10, windowSeconds = 10 } = options;
    assertRange('retryBudget.ratio', ratio, 10);
    assertRange('retryBudget.minPerSecond', minPerSecond, 1_000_000);
    if (!Number.isInteger(windowSeconds) || windowSeconds < 1 || windowSeconds > 60) {
      throw configError('retryBudget.windowSeconds', 'an integer from 1 to 60', windowSeconds);
    }
    this.#ratio = ratio;
    this.#reserve = minPerSecond * windowSeconds;
    this.#deposits = new Float64Array(windowSeconds);
    this.#withdrawals = new Float64Array(windowSeconds);
  }

  /** A first try is being made. */
  deposit(nowMs: number): void {
    const index = this.#advance(nowMs);
    this.#deposits[index] = (this.#deposits[index] as number) + 1;
    this.#depositSum++;
  }

  /** May a retry be made now? If so, it is counted. */
  tryWithdraw(nowMs: number): boolean {
    const index = this.#advance(nowMs);
    if (this.#remaining() < 1) return false;
    this.#withdrawals[index] = (this.#withdrawals[index] as number) + 1;
    this.#withdrawalSum++;
    return true;
  }

  /** A retry that was counted was not made after all: another one may have its place. */
  refund(nowMs: number): void {
    const index = this.#advance(nowMs);
    const size = this.#withdrawals.length;
    // The latest one that is still remembered; one that has left the window counts no more anyway.
    for (let step = 0; step < size; step++) {
      const place = indexOf(index - step, size);
      const count = this.#withdrawals[place] as number;
      if (count === 0) continue;
      this.#withdrawals[place] = count - 1;
      this.#withdrawalSum--;
      return;
    }
  }

  /** Retries that could be made now. Whole ones count: a remainder of 0.9 allows none. */
  remaining(nowMs: number): number {
    this.#advance(nowMs);
    return Math.max(0, this.#remaining());
  }

  #remaining(): number {
    return this.#ratio * this.#depositSum + this.#reserve - this.#withdrawalSum;
  }

  /** Forgets the seconds that left the window. @returns where the current second is counted */
  #advance(nowMs: number): number {
    const size = this.#deposits.length;
    const second = Math.floor(nowMs / SECOND_MS);
    if (second > this.#second) {
      const steps = Math.min(size, second - this.#second);
      for (let step = 0; step < steps; step++) this.#forget(indexOf(second - step, size));
      this.#second = second;
    }
    // A clock that stepped back counts into the newest second.
    return indexOf(this.#second, size);
  }

  #forget(index: number): void {
    this.#depositSum -= this.#deposits[index] as number;
    this.#withdrawalSum -= this.#withdrawals[index] as number;
    this.#deposits[index] = 0;
    this.#withdrawals[index] = 0;
  }
}

/** The clock's zero is arbitrary: seconds may be negative, places may not. */
function indexOf(second: number, size: number): number {
  const rest = second % size;
  return rest < 0 ? rest + size : rest;
}

function assertRange(path: string, value: number, max: number): void {
  if (!(value >= 0 && value <= max)) throw configError(path, `a number from 0 to ${max}`, value);
}
