/** Counts what a peer may do so many times at once, and so many more each second. */
import type { Clock } from '@evenkeel/core';
import type { RateLimit } from './session-options.ts';

export class RateBudget {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #left: number;
  #filledAtMs: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#left = limit.burst;
    this.#filledAtMs = clock.nowMs();
  }

  /** Once more. The clock is looked at only when nothing is left. @returns false when it was once too often */
  take(): boolean {
    if (--this.#left >= 0) return true;
    const { burst, perSecond } = this.#limit;
    const nowMs = this.#clock.nowMs();
    const earned = Math.floor(((nowMs - this.#filledAtMs) * perSecond) / 1_000);
    if (earned < 1) {
      this.#left = 0;
      return false;
    }
    this.#left = Math.min(burst, earned) - 1;
    this.#filledAtMs = nowMs;
    return true;
  }
}
