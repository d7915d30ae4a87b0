import { checkNumber } from './check.ts';

export interface TokenBucketOptions {
  /** Tokens that the bucket holds at most, above 0: the largest burst. */
  readonly capacity: number;
  /** Tokens that flow in per second, 0 or more. 0 never refills. */
  readonly refillPerSecond: number;
  /** Tokens at the start, 0 to `capacity`. Default full. */
  readonly initial?: number;
  /** Time of the start. Default 0. */
  readonly nowMs?: number;
}

/**
 * A token bucket: long-term rate `refillPerSecond`, bursts up to `capacity`. Refills by arithmetic when it is looked at,
 * so it needs no timer; the caller says what time it is, and a time before the last one counts as the last one.
 */
export class TokenBucket {
  readonly capacity: number;
  readonly #refillPerMs: number;
  #tokens: number;
  #updatedMs: number;

  /** @throws RangeError, TypeError for options out of range */
  constructor(options: TokenBucketOptions) {
    const { capacity, refillPerSecond, initial = capacity, nowMs = 0 } = options;
    this.capacity = checkNumber('capacity', capacity, { above: 0 });
    this.#refillPerMs = checkNumber('refillPerSecond', refillPerSecond, { min: 0 }) / 1_000;
    this.#tokens = checkNumber('initial', initial, { min: 0, max: capacity });
    this.#updatedMs = checkNumber('nowMs', nowMs, {});
  }

  /** Tokens at a time, fractions included. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens;
  }

  /** Takes `count` tokens, by default one, or none and returns false when there are fewer. */
  tryTake(nowMs: number, count = 1): boolean {
    this.#refill(nowMs);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Puts tokens in (credit for something that went well), up to the capacity. */
  put(nowMs: number, count = 1): void {
    this.#refill(nowMs);
    this.#tokens = Math.min(this.capacity, this.#tokens + count);
  }

  /** How long until `count` tokens are there if nobody takes any: 0 when they are, Infinity when never. */
  waitMs(nowMs: number, count = 1): number {
    this.#refill(nowMs);
    const missing = count - this.#tokens;
    if (missing <= 0) return 0;
    return count > this.capacity || this.#refillPerMs === 0
      ? Infinity
      : missing / this.#refillPerMs;
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#updatedMs;
    if (!(elapsedMs > 0)) return;
    this.#updatedMs = nowMs;
    this.#tokens = Math.min(this.capacity, this.#tokens + elapsedMs * this.#refillPerMs);
  }
}
