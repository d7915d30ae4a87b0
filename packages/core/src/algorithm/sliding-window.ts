import { checkInteger, checkNumber } from './check.ts';

export interface SlidingWindowOptions {
  /** Length of the window, above 0. */
  readonly windowMs: number;
  /** Parts in which it slides, 1 to 1000. More follow time more closely. Default 10. */
  readonly buckets?: number;
}

/**
 * How many things succeeded and failed lately. Time is cut into buckets; those that have left the window are taken off
 * the running sums when the window is next looked at, so reading costs no loop and nothing needs a timer.
 *
 * ```text
 *            window = 5 buckets
 *  ... | 3 | 0 | 7 | 2 | 1 |          sums 13; the next bucket replaces the 3
 *        oldest          now
 * ```
 *
 * It covers between `windowMs - windowMs / buckets` and `windowMs`. A time before the current bucket counts into the
 * current one.
 */
export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #successes: Float64Array;
  readonly #failures: Float64Array;
  #successSum = 0;
  #failureSum = 0;
  /** Number of the current bucket since time 0; its place is that modulo the number of buckets. */
  #epoch = -Infinity;

  /** @throws RangeError, TypeError for options out of range */
  constructor(options: SlidingWindowOptions) {
    const { windowMs, buckets = 10 } = options;
    checkInteger('buckets', buckets, { min: 1, max: 1_000 });
    this.#bucketMs = checkNumber('windowMs', windowMs, { above: 0 }) / buckets;
    this.#successes = new Float64Array(buckets);
    this.#failures = new Float64Array(buckets);
  }

  /** Counts a success or a failure, or `count` of them. */
  record(success: boolean, nowMs: number, count = 1): void {
    const place = this.#advance(nowMs);
    if (success) {
      this.#successes[place] = (this.#successes[place] as number) + count;
      this.#successSum += count;
    } else {
      this.#failures[place] = (this.#failures[place] as number) + count;
      this.#failureSum += count;
    }
  }

  /** Successes in the window. */
  successes(nowMs: number): number {
    this.#advance(nowMs);
    return this.#successSum;
  }

  /** Failures in the window. */
  failures(nowMs: number): number {
    this.#advance(nowMs);
    return this.#failureSum;
  }

  /** Successes and failures in the window. */
  total(nowMs: number): number {
    this.#advance(nowMs);
    return this.#successSum + this.#failureSum;
  }

  /** Part of successes, 0..1; 1 when the window is empty: no news is good news. */
  successRatio(nowMs: number): number {
    const total = this.total(nowMs);
    return total === 0 ? 1 : this.#successSum / total;
  }

  /** Empties the window. */
  reset(): void {
    this.#successes.fill(0);
    this.#failures.fill(0);
    this.#successSum = 0;
    this.#failureSum = 0;
  }

  /** Makes the bucket of a time the current one, clears what has left the window, and returns its place. */
  #advance(nowMs: number): number {
    const size = this.#successes.length;
    const epoch = Math.floor(nowMs / this.#bucketMs);
    if (epoch > this.#epoch) {
      if (epoch - this.#epoch >= size) this.reset();
      else
        for (let passed = this.#epoch + 1; passed <= epoch; passed++)
          this.#clear(modulo(passed, size));
      this.#epoch = epoch;
    }
    return modulo(this.#epoch, size);
  }

  #clear(place: number): void {
    this.#successSum -= this.#successes[place] as number;
    this.#failureSum -= this.#failures[place] as number;
    this.#successes[place] = 0;
    this.#failures[place] = 0;
  }
}

/** Never negative, also for times before 0. */
function modulo(value: number, divisor: number): number {
  const rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}
