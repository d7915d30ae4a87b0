import type { SuccessRateConfig } from './comparison-config.ts';
import type { FailureOrigin, IntervalCounts } from './interval-counts.ts';
import type { ComparisonRule, Outlier } from './rule.ts';
import { evidenceOfDifference, type Sample } from './two-samples.ts';

/** An endpoint that may stand out. Made for those only: a sweep over thousands allocates next to nothing. */
interface Judged extends Sample {
  readonly slot: number;
  readonly rate: number;
}

/**
 * Ejects endpoints whose success rate is far below that of the others (Envoy's success rate detection, gRFC A50
 * "success_rate_ejection").
 *
 * ```text
 * judged     members in rotation with at least minimumRequests; fewer than minimumEndpoints of them: nobody is judged
 * threshold  mean(rates) - stdevFactor * stdev(rates)        of the population, every endpoint counts alike
 * outlier    rate < threshold
 *            and mean - rate >= minimumDifferencePercent
 *            and chance alone would do this with a probability below falseAlarmRatio
 * ```
 *
 * The last two lines are not in A50. Without them the rule always finds somebody: of many equal endpoints one in 35 is
 * below `mean - 1.9 stdev` by the nature of a standard deviation, in every interval, and among four perfect endpoints a
 * fifth is ejected for one failure in a hundred. Each closes one gap: the difference must be worth the loss of an
 * endpoint, and it must be no accident. `minimumDifferencePercent: 0` with `falseAlarmRatio: 1` is the plain rule.
 *
 * How many bad ones can be told from the rest is limited by the arithmetic: if k of n endpoints fail alike, their
 * distance to the mean is `sqrt((n - k) / k)` standard deviations. It exceeds 1.9 only for `k < n / 4.61`: one of 5, two
 * of 10, 21 of 100. Hence the least number of endpoints, 5.
 */
export class SuccessRate implements ComparisonRule {
  readonly minimumEndpoints: number;
  readonly #config: SuccessRateConfig;
  readonly #origin: FailureOrigin;
  readonly #minimumEvidence: number;

  constructor(config: SuccessRateConfig, origin: FailureOrigin) {
    this.minimumEndpoints = config.minimumEndpoints;
    this.#config = config;
    this.#origin = origin;
    this.#minimumEvidence = -Math.log(config.falseAlarmRatio);
  }

  sweep(slots: readonly number[], counts: IntervalCounts): readonly Outlier[] {
    const origin = this.#origin;
    const judged: number[] = [];
    const all = { successes: 0, failures: 0 };
    let sumOfRates = 0;
    for (const slot of slots) {
      const successes = counts.successes(slot, origin);
      const failures = counts.failures(slot, origin);
      if (successes + failures < this.#config.minimumRequests) continue;
      judged.push(slot);
      all.successes += successes;
      all.failures += failures;
      sumOfRates += successes / (successes + failures);
    }
    if (judged.length < this.minimumEndpoints) return [];
    const mean = sumOfRates / judged.length;
    let sumOfSquares = 0;
    for (const slot of judged) sumOfSquares += (rateOf(slot, counts, origin) - mean) ** 2;
    const { stdevFactor, minimumDifferencePercent } = this.#config;
    const threshold = mean - stdevFactor * Math.sqrt(sumOfSquares / judged.length);
    const ceiling = mean - minimumDifferencePercent / 100;
    return judged
      .filter((slot) => {
        const rate = rateOf(slot, counts, origin);
        return rate < threshold && rate <= ceiling;
      })
      .map((slot) => judgedOf(slot, counts, origin))
      .filter((one) => evidenceOfDifference(one, without(all, one)) >= this.#minimumEvidence)
      .sort((one, other) => one.rate - other.rate)
      .map((one) => ({ slot: one.slot, finding: this.#describe(one, mean, threshold) }));
  }

  #describe(
    { rate, successes, failures }: Judged,
    mean: number,
    threshold: number,
  ): Outlier['finding'] {
    const local = this.#origin === 'local';
    const what = local ? 'requests answered' : 'success rate';
    return {
      detector: local ? 'local-origin-success-rate' : 'success-rate',
      reason:
        `${what} ${percent(rate)} of ${successes + failures} requests, ` +
        `below ${percent(threshold)} (mean of the members ${percent(mean)})`,
    };
  }
}

function rateOf(slot: number, counts: IntervalCounts, origin: FailureOrigin): number {
  const successes = counts.successes(slot, origin);
  return successes / (successes + counts.failures(slot, origin));
}

function judgedOf(slot: number, counts: IntervalCounts, origin: FailureOrigin): Judged {
  const successes = counts.successes(slot, origin);
  const failures = counts.failures(slot, origin);
  return { slot, successes, failures, rate: successes / (successes + failures) };
}

function without(all: Sample, one: Sample): Sample {
  return { successes: all.successes - one.successes, failures: all.failures - one.failures };
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}
