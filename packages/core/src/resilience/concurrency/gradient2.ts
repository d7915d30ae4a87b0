import { BaseRtt } from './base-rtt.ts';
import { bounded, type LimitAlgorithm, type LimitBounds } from './limit-algorithm.ts';

/** Options of {@link Gradient2Limit}, checked. */
export interface Gradient2Config extends LimitBounds {
  /** Slowdown that is taken for normal, 1..10. Default 1.5. */
  readonly rttTolerance: number;
  /** Requests that may queue at the other side, 0..1,000: how far the limit reaches up when all is well. Default 4. */
  readonly queueSize: number;
  /** Part of the step towards a new estimate that is taken, 0.01..1. Default 0.2. */
  readonly smoothing: number;
  /** Samples that the long-term average looks back on, 10..100,000. Default 600. */
  readonly longWindow: number;
}

/**
 * Netflix's Gradient2 (concurrency-limits, `Gradient2Limit`): compares how long answers take now with how long they
 * have taken in the long run.
 *
 * ```text
 *   gradient = clamp(rttTolerance * long / short, 0.5, 1)       below 1: a queue has built up
 *   limit'   = limit * gradient + queueSize
 *   limit    = limit + smoothing * (limit' - limit)
 * ```
 *
 * While nothing queues, the limit grows by `smoothing * queueSize` a sample. It rests where
 * `limit * (1 - gradient) = queueSize`. A server that works on C requests at a time and has L > C in flight answers in
 * `S * L / C`; with `long = S` and a tolerance of t that gives `L = t * C + queueSize`.
 *
 * It differs from the original in two points. There the long-term average learns from every sample, so that under an
 * overload without pause the queue becomes the norm: in a simulated server for 50 requests the limit went from 20 to
 * 1,000 in four minutes. Here it learns as {@link BaseRtt} says. And a dropped sample counts as the lowest gradient.
 */
export class Gradient2Limit implements LimitAlgorithm {
  readonly #config: Gradient2Config;
  readonly #long: BaseRtt;
  #limit: number;

  constructor(config: Gradient2Config) {
    this.#config = config;
    this.#limit = bounded(config.initialLimit, config);
    this.#long = new BaseRtt(config.longWindow);
  }

  get limit(): number {
    return this.#limit;
  }

  /** The long-term average in milliseconds; 0 before the first sample. */
  get longRttMs(): number {
    return this.#long.ms;
  }

  sample(rttMs: number, inFlight: number, dropped: boolean): void {
    const limit = this.#limit;
    if (dropped) {
      this.#approach(limit * MIN_GRADIENT);
      return;
    }
    this.#long.learn(rttMs, inFlight >= Math.floor(limit));
    // When the long run was much slower than now, something has recovered: forget faster, or the limit would not
    // notice the next queue.
    if (this.#long.ms / rttMs > RECOVERY_RATIO) this.#long.shrink(RECOVERY_DECAY);
    // So few requests cannot show what would be too many.
    if (inFlight < limit / 2) return;
    const ratio = (this.#config.rttTolerance * this.#long.ms) / rttMs;
    this.#approach(limit * Math.max(MIN_GRADIENT, Math.min(1, ratio)));
  }

  rebase(rttMs: number): void {
    this.#long.rebase(rttMs);
  }

  #approach(target: number): void {
    const { smoothing, queueSize } = this.#config;
    this.#limit = bounded(
      this.#limit + smoothing * (target + queueSize - this.#limit),
      this.#config,
    );
  }
}

const MIN_GRADIENT = 0.5;
const RECOVERY_RATIO = 2;
const RECOVERY_DECAY = 0.9;
