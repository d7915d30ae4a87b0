import { checkNumber } from './check.ts';
import { uniformUnit, type RandomSource } from './random-source.ts';

/**
 * How randomness spreads the waits of many clients (Brooker, "Exponential Backoff And Jitter", AWS 2015), with
 * `ceiling = min(max, base * factor^attempt)`:
 *
 * - `full`: anything in [0, ceiling). Least work and least contention; the default.
 * - `equal`: half the ceiling plus anything in [0, ceiling / 2). Never nearly zero.
 * - `decorrelated`: anything in [base, 3 * previous wait), at most max. Grows by its own draws, not by attempts.
 * - `none`: the ceiling itself. Clients that failed together return together.
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

export interface BackoffOptions {
  /** Ceiling of the first wait, above 0. Default 100. */
  readonly baseMs?: number;
  /** Longest wait, at least `baseMs`. Default 10000. */
  readonly maxMs?: number;
  /** Growth of the ceiling per attempt, 1 to 10. Default 2. */
  readonly factor?: number;
  /** Default full. */
  readonly jitter?: Jitter;
  readonly random: RandomSource;
}

/** Longest wait that timers can hold: 2^31 - 1 ms, about 25 days. */
const MAX_DELAY_MS = 2 ** 31 - 1;
const JITTERS: ReadonlySet<string> = new Set<Jitter>(['full', 'equal', 'decorrelated', 'none']);

/**
 * Waits between attempts at something that keeps failing.
 *
 * @example
 * const backoff = new Backoff({ baseMs: 100, maxMs: 5_000, random });
 * backoff.nextMs(); // [0, 100)
 * backoff.nextMs(); // [0, 200)
 * backoff.reset(); // after a success
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #factor: number;
  readonly #jitter: Jitter;
  readonly #random: RandomSource;
  #attempts = 0;
  #previousMs: number;

  /** @throws RangeError, TypeError for options out of range */
  constructor(options: BackoffOptions) {
    const { baseMs = 100, maxMs = 10_000, factor = 2, jitter = 'full' } = options;
    this.#baseMs = checkNumber('baseMs', baseMs, { above: 0, max: MAX_DELAY_MS });
    this.#maxMs = checkNumber('maxMs', maxMs, { min: baseMs, max: MAX_DELAY_MS });
    this.#factor = checkNumber('factor', factor, { min: 1, max: 10 });
    if (!JITTERS.has(jitter)) {
      throw new RangeError(
        `jitter must be one of ${[...JITTERS].join(', ')}, got ${String(jitter)}`,
      );
    }
    this.#jitter = jitter;
    this.#random = options.random;
    this.#previousMs = baseMs;
  }

  /** Waits taken since the start or the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next wait, from 0 to `maxMs`. */
  nextMs(): number {
    const ceilingMs = Math.min(this.#maxMs, this.#baseMs * this.#factor ** this.#attempts);
    this.#attempts++;
    this.#previousMs = this.#draw(ceilingMs);
    return this.#previousMs;
  }

  /** Starts over, after a success. */
  reset(): void {
    this.#attempts = 0;
    this.#previousMs = this.#baseMs;
  }

  #draw(ceilingMs: number): number {
    switch (this.#jitter) {
      case 'none':
        return ceilingMs;
      case 'full':
        return uniformUnit(this.#random) * ceilingMs;
      case 'equal':
        return (ceilingMs * (1 + uniformUnit(this.#random))) / 2;
      case 'decorrelated': {
        const spanMs = 3 * this.#previousMs - this.#baseMs;
        return Math.min(this.#maxMs, this.#baseMs + uniformUnit(this.#random) * spanMs);
      }
    }
  }
}
