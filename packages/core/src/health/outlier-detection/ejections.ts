/**
 * How long an ejection lasts and how many there may be.
 *
 * ```text
 * duration = min(base * count, max) * (1 +- jitter)
 * count    = ejections in short succession; one is forgiven per decayMs in rotation
 *
 * base 10 s, decay 30 s:
 *   ejected 10 s | fails at once: 20 s | fails at once: 30 s | in rotation for 65 s | fails: 20 s
 *   count 1      | 2                   | 3                   | forgiven 2 -> 1      | 2
 * ```
 */
import { jittered, type Random } from '../../runtime/random.ts';
import { withRoom } from './slot-arrays.ts';

export interface EjectionTimes {
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly jitterRatio: number;
  readonly decayMs: number;
}

/** The length of the next ejection and its number in the series. */
export interface EjectionStep {
  readonly durationMs: number;
  readonly count: number;
}

/** Remembers for every slot how often it was ejected of late. Forgiving is worked out when it matters: no timer. */
export class Ejections {
  readonly #times: EjectionTimes;
  readonly #random: Random;
  #counts = new Int32Array(0);
  /** When the slot last came back: forgiving starts there. */
  #returnedMs = new Float64Array(0);

  constructor(times: EjectionTimes, random: Random) {
    this.#times = times;
    this.#random = random;
  }

  ensureCapacity(slots: number): void {
    this.#counts = withRoom(this.#counts, slots, (length) => new Int32Array(length));
    this.#returnedMs = withRoom(this.#returnedMs, slots, (length) => new Float64Array(length));
  }

  /** What the next ejection would be. Draws jitter, remembers nothing. */
  next(slot: number, nowMs: number): EjectionStep {
    const { baseEjectionMs, maxEjectionMs, jitterRatio } = this.#times;
    const count = this.count(slot, nowMs) + 1;
    const plainMs = Math.min(baseEjectionMs * count, maxEjectionMs);
    return { count, durationMs: jittered(this.#random, plainMs, jitterRatio) };
  }

  /** The slot is ejected for the `count`-th time. Until {@link returned}, nothing is forgiven. */
  began(slot: number, count: number): void {
    this.#counts[slot] = count;
    this.#returnedMs[slot] = Number.POSITIVE_INFINITY;
  }

  /** The slot is back in rotation. */
  returned(slot: number, nowMs: number): void {
    this.#returnedMs[slot] = nowMs;
  }

  /** The slot is given to a new endpoint. */
  forget(slot: number): void {
    this.#counts[slot] = 0;
    this.#returnedMs[slot] = 0;
  }

  /** Ejections not yet forgiven. */
  count(slot: number, nowMs: number): number {
    const count = this.#counts[slot] ?? 0;
    if (count === 0) return 0;
    const cleanMs = Math.max(0, nowMs - (this.#returnedMs[slot] as number));
    return Math.max(0, count - Math.floor(cleanMs / this.#times.decayMs));
  }
}

/**
 * How many members may be ejected at once: the share rounded down, but at least one, or outlier detection would do
 * nothing in small clusters. A cluster of one is left alone (unless 100 % is allowed): there is nobody else to ask.
 */
export function ejectionLimit(memberCount: number, maxEjectionPercent: number): number {
  const share = Math.floor((memberCount * maxEjectionPercent) / 100);
  return memberCount >= 2 ? Math.max(1, share) : share;
}
