/** Median and spread of repeated measurements. A mean would let one descheduled round decide. */

export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median absolute deviation from the median: half of all samples lie within `median ± mad`. */
  readonly mad: number;
  readonly count: number;
}

/**
 * The middle value; of an even number of samples the mean of the middle two.
 *
 * @throws RangeError when there is no sample
 */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError('median needs at least one sample, got none');
  const sorted = [...samples].sort((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  const lower = (sorted.length - 1) >> 1;
  return ((sorted[lower] as number) + (sorted[upper] as number)) / 2;
}

/** @throws RangeError when there is no sample */
export function summarize(samples: readonly number[]): Summary {
  const middle = median(samples);
  return {
    median: middle,
    min: Math.min(...samples),
    max: Math.max(...samples),
    mad: median(samples.map((sample) => Math.abs(sample - middle))),
    count: samples.length,
  };
}

/**
 * Ratios round by round. What slows the machine down for a while slows both sides of one round
 * alike, so the median of ratios is steadier than the ratio of medians.
 *
 * @throws RangeError when the two did not run the same number of rounds
 */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  if (ours.length !== theirs.length) {
    throw new RangeError(`paired samples expected, got ${ours.length} and ${theirs.length}`);
  }
  return ours.map((sample, round) => sample / (theirs[round] as number));
}
