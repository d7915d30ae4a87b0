import { uniformUnit, type RandomSource } from '../../algorithm/random-source.ts';
import { BaseRtt } from './base-rtt.ts';
import { bounded, type LimitAlgorithm, type LimitBounds } from './limit-algorithm.ts';

/** Options of {@link VegasLimit}, checked. */
export interface VegasConfig extends LimitBounds {
  /** Queue below which the limit grows, in units of log10(limit), 1..100. Default 3. */
  readonly alpha: number;
  /** Queue above which the limit shrinks, in units of log10(limit), at least alpha, at most 200. Default 6. */
  readonly beta: number;
  /**
   * What the time without a queue is. `mean`: the average while the limit was not reached. `shortest`: the shortest
   * sample, as in TCP. Default mean: where some answers take longer than others by nature, the shortest is a matter of
   * luck, and the limit found with it far too low.
   */
  readonly baseline: 'mean' | 'shortest';
  /**
   * That time is taken anew after this times the limit samples, jittered, 0..1,000. 0: never; `rebase` has to do it.
   * Default 30; the limiter sets 0 when it measures itself.
   */
  readonly probeMultiplier: number;
}

/**
 * TCP Vegas (Brakmo and Peterson 1995) in the form of Netflix's `VegasLimit`: estimates how many requests queue at the
 * other side, from the time that an answer takes without a queue, and keeps that number small.
 *
 * ```text
 *   queue = ceil(limit * (1 - base / rtt))          l = log10(limit), at least 1
 *
 *   queue <= l          limit + beta * l      far from full: find the ceiling fast
 *   queue < alpha * l   limit + l
 *   queue > beta * l    limit - l             also after a drop
 *   else                unchanged
 * ```
 *
 * A server that works on C requests at a time and has L > C in flight answers in `base * L / C`, so the queue is exactly
 * `L - C`, and the limit rests between `C + alpha * l` and `C + beta * l`.
 */
export class VegasLimit implements LimitAlgorithm {
  readonly #config: VegasConfig;
  readonly #random: RandomSource;
  readonly #base = new BaseRtt(BASE_WINDOW);
  #limit: number;
  #sinceProbe = 0;
  #probeAfter: number;

  constructor(config: VegasConfig, random: RandomSource) {
    this.#config = config;
    this.#random = random;
    this.#limit = bounded(config.initialLimit, config);
    this.#probeAfter = this.#nextProbe();
  }

  get limit(): number {
    return this.#limit;
  }

  /** The time without a queue in milliseconds; 0 before the first sample. */
  get baseRttMs(): number {
    return this.#base.ms;
  }

  sample(rttMs: number, inFlight: number, dropped: boolean): void {
    if (dropped) {
      this.#moveBy(-logOf(this.#limit));
      return;
    }
    if (this.#learns(rttMs, inFlight)) return;
    // So few requests cannot show what would be too many.
    if (inFlight * 2 < this.#limit) return;
    const { alpha, beta } = this.#config;
    const step = logOf(this.#limit);
    const queue = Math.ceil(this.#limit * (1 - this.#base.ms / rttMs));
    if (queue <= step) this.#moveBy(beta * step);
    else if (queue < alpha * step) this.#moveBy(step);
    else if (queue > beta * step) this.#moveBy(-step);
  }

  rebase(rttMs: number): void {
    this.#base.rebase(rttMs);
    this.#sinceProbe = 0;
    this.#probeAfter = this.#nextProbe();
  }

  /** @returns whether the sample *is* the base now, and so says nothing about a queue */
  #learns(rttMs: number, inFlight: number): boolean {
    this.#sinceProbe++;
    const isShortest =
      this.#config.baseline === 'shortest' && (this.#base.ms === 0 || rttMs < this.#base.ms);
    if (isShortest || this.#sinceProbe >= this.#probeAfter) {
      this.rebase(rttMs);
      return true;
    }
    if (this.#config.baseline === 'mean') {
      this.#base.learn(rttMs, inFlight >= Math.floor(this.#limit));
    }
    return false;
  }

  #moveBy(change: number): void {
    this.#limit = bounded(this.#limit + change, this.#config);
  }

  /** Jittered by a half, so that the clients of one server do not measure each other's probes. */
  #nextProbe(): number {
    const { probeMultiplier } = this.#config;
    if (probeMultiplier === 0) return Number.POSITIVE_INFINITY;
    return (0.5 + uniformUnit(this.#random) / 2) * probeMultiplier * this.#limit;
  }
}

/** Samples that the mean without a queue looks back on. */
const BASE_WINDOW = 600;

function logOf(limit: number): number {
  return Math.max(1, Math.log10(limit));
}
