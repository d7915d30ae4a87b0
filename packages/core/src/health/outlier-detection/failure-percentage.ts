import type { FailurePercentageConfig } from './comparison-config.ts';
import type { FailureOrigin, IntervalCounts } from './interval-counts.ts';
import type { ComparisonRule, Outlier } from './rule.ts';

/**
 * Ejects endpoints whose failures make up a fixed share of their requests or more (Envoy's failure percentage
 * detection, gRFC A50 "failure_percentage_ejection").
 *
 * It finds what the success rate cannot: more than a fifth of the endpoints failing alike, which hide each other in mean
 * and standard deviation. For the same reason it is off by default: it does not ask how the others are doing, so when
 * something breaks that all of them need, all of them cross the line together.
 *
 * The comparison is "at least", as in Envoy; A50's text says "greater", with which a threshold of 100 could never speak.
 */
export class FailurePercentage implements ComparisonRule {
  readonly minimumEndpoints: number;
  readonly #config: FailurePercentageConfig;
  readonly #origin: FailureOrigin;

  constructor(config: FailurePercentageConfig, origin: FailureOrigin) {
    this.minimumEndpoints = config.minimumEndpoints;
    this.#config = config;
    this.#origin = origin;
  }

  sweep(slots: readonly number[], counts: IntervalCounts): readonly Outlier[] {
    const { minimumEndpoints, minimumRequests, thresholdPercent } = this.#config;
    let judgedCount = 0;
    const found: { slot: number; failed: number; total: number }[] = [];
    for (const slot of slots) {
      const failed = counts.failures(slot, this.#origin);
      const total = failed + counts.successes(slot, this.#origin);
      if (total < minimumRequests) continue;
      judgedCount++;
      if (failed * 100 >= thresholdPercent * total) found.push({ slot, failed, total });
    }
    if (judgedCount < minimumEndpoints) return [];
    return found
      .sort((one, other) => other.failed / other.total - one.failed / one.total)
      .map(({ slot, failed, total }) => ({
        slot,
        finding: {
          detector:
            this.#origin === 'local' ? 'local-origin-failure-percentage' : 'failure-percentage',
          reason: `${failed} of ${total} requests failed (limit ${thresholdPercent} %)`,
        },
      }));
  }
}
