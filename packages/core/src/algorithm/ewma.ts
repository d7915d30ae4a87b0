import { checkNumber } from './check.ts';
import { decay } from './decay.ts';

/**
 * One step of an exponentially weighted moving average: `keep` of the old mean and the rest of the new sample.
 *
 * For samples at uneven times `keep = decay(elapsed / tau)`: after tau an old sample still weighs 1/e = 37 %, however
 * many came in between. Pure, so that callers can keep the means of thousands of endpoints in a typed array.
 */
export function ewmaStep(mean: number, sample: number, keep: number): number {
  return sample + (mean - sample) * keep;
}

/**
 * The same for a latency that must be feared at once and forgiven slowly (Finagle's PeakEwma): a sample above the mean
 * becomes the mean, one below it pulls it down.
 */
export function peakEwmaStep(mean: number, sample: number, keep: number): number {
  return sample > mean ? sample : sample + (mean - sample) * keep;
}

/** Time constants up to a year. */
const MAX_TAU_MS = 365 * 24 * 3600 * 1000;

/**
 * A time-decayed mean of samples.
 *
 * @example
 * const mean = new Ewma({ tauMs: 10_000 });
 * mean.observe(20, 0); // 20
 * mean.observe(40, 10_000); // 40 + (20 - 40) / e = 32.6
 */
export class Ewma {
  readonly #tauMs: number;
  readonly #peak: boolean;
  #mean: number | undefined;
  #updatedMs: number;

  /** @throws RangeError, TypeError for options out of range */
  constructor(options: EwmaOptions) {
    this.#tauMs = checkNumber('tauMs', options.tauMs, { above: 0, max: MAX_TAU_MS });
    this.#peak = options.peak ?? false;
    if (options.initial !== undefined) this.#mean = checkNumber('initial', options.initial, {});
    this.#updatedMs = checkNumber('nowMs', options.nowMs ?? 0, {});
  }

  /** The mean, or undefined before the first sample when no initial value was given. */
  get mean(): number | undefined {
    return this.#mean;
  }

  /** Takes a sample at a time and returns the new mean. A time before the last one counts as the last one. */
  observe(sample: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#updatedMs;
    if (elapsedMs > 0) this.#updatedMs = nowMs;
    if (this.#mean === undefined) {
      this.#updatedMs = nowMs;
      this.#mean = sample;
    } else {
      const keep = decay(elapsedMs / this.#tauMs);
      this.#mean = this.#peak
        ? peakEwmaStep(this.#mean, sample, keep)
        : ewmaStep(this.#mean, sample, keep);
    }
    return this.#mean;
  }
}

export interface EwmaOptions {
  /** Time constant, above 0 and at most a year: samples of that age weigh 37 %. */
  readonly tauMs: number;
  /** Jump up to a larger sample at once (see `peakEwmaStep`). Default false. */
  readonly peak?: boolean;
  /** A mean to start from. Default: the first sample. */
  readonly initial?: number;
  /** The time of that mean. Default 0. */
  readonly nowMs?: number;
}
