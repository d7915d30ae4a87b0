import { decay } from '../algorithm/decay.ts';
import { configError } from '../error/config-error.ts';

/** Shorter latencies count as this. */
const MIN_MS = 0.05;
/** Buckets per doubling: each is 2^(1/8) = 1.09 times as wide as the one before. */
const PER_OCTAVE = 8;
/** 25 doublings of 0.05 ms reach 28 minutes; anything longer counts as that. */
const BUCKETS = 25 * PER_OCTAVE;
const LOG2_MIN = Math.log2(MIN_MS);

/**
 * A quantile of the latencies of late. Latencies are counted in buckets of equal relative width, so that recording is
 * a logarithm and an addition, memory is 1.6 KB whatever the traffic, and the answer is off by at most the width of a
 * bucket, 9 %. What is longer ago counts less: `exp(-age / tauMs)`.
 *
 * ```text
 *   0.05   0.0545        ...        9.7    10.6   11.5        ...        28 min      8 buckets per doubling
 *  [  0  ][  0  ][ 2 ] ... [ 31 ][ 77 ][ 112 ][ 80 ] ... [ 1 ][  0  ]
 * ```
 */
export class LatencyQuantile {
  readonly #tauMs: number;
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #agedMs: number | undefined;

  /** @param tauMs time constant of forgetting, above 0 @throws ConfigError */
  constructor(tauMs: number) {
    if (!(tauMs > 0)) throw configError('latencyQuantile.tauMs', 'a number above 0', tauMs);
    this.#tauMs = tauMs;
  }

  /** Latencies counted, the older ones with less than 1 each. */
  get total(): number {
    return this.#total;
  }

  /** Counts a latency. */
  record(latencyMs: number): void {
    const place = latencyMs > MIN_MS ? ((Math.log2(latencyMs) - LOG2_MIN) * PER_OCTAVE) | 0 : 0;
    const bucket = place < BUCKETS ? place : BUCKETS - 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total++;
  }

  /** Makes everything counted so far older. Costs a walk over the buckets: for every few seconds, not every request. */
  age(nowMs: number): void {
    const sinceMs = nowMs - (this.#agedMs ?? nowMs);
    this.#agedMs = nowMs;
    const keep = decay(sinceMs / this.#tauMs);
    if (keep === 1) return;
    let total = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = (this.#counts[bucket] as number) * keep;
      this.#counts[bucket] = count;
      total += count;
    }
    // Summed anew, or rounding errors would gather.
    this.#total = total;
  }

  /**
   * The latency that a part `ratio` of the requests did not exceed, within a bucket by interpolation.
   *
   * @param ratio 0..1
   * @returns milliseconds; undefined while nothing is counted
   */
  quantileMs(ratio: number): number | undefined {
    if (this.#total <= 0) return undefined;
    let rank = ratio * this.#total;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket] as number;
      if (rank <= count && count > 0) return MIN_MS * 2 ** ((bucket + rank / count) / PER_OCTAVE);
      rank -= count;
    }
    return MIN_MS * 2 ** (BUCKETS / PER_OCTAVE);
  }
}
