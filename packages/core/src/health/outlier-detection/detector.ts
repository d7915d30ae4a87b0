import type { HealthEnvironment, OutlierDetector, OutlierListener } from '../health.ts';
import type { OutlierDetectionConfig } from './config.ts';
import { ConsecutiveFailures } from './consecutive-failures.ts';
import { FailurePercentage } from './failure-percentage.ts';
import type { FailureOrigin } from './interval-counts.ts';
import type { ComparisonRule } from './rule.ts';
import { RuleHost } from './rule-host.ts';
import { SuccessRate } from './success-rate.ts';

/**
 * Builds the passive health of a cluster.
 *
 * @param config `returnBy` left out means `trial`; the cluster sets it to `time` for keyed policies
 */
export function createOutlierDetector(
  config: OutlierDetectionConfig,
  environment: HealthEnvironment,
  listener: OutlierListener,
): OutlierDetector {
  return new RuleHost({
    config,
    environment,
    listener,
    sequenceRules: [new ConsecutiveFailures(config.consecutive, config.splitLocalOriginErrors)],
    comparisonRules: comparisonRulesOf(config),
  });
}

/** The success rate first: it knows better who is to blame when the limit does not allow everybody. */
function comparisonRulesOf(config: OutlierDetectionConfig): readonly ComparisonRule[] {
  const { successRate, failurePercentage, splitLocalOriginErrors } = config;
  const origins: readonly FailureOrigin[] = splitLocalOriginErrors
    ? ['external', 'local']
    : ['any'];
  return [
    ...(successRate === false ? [] : origins.map((origin) => new SuccessRate(successRate, origin))),
    ...(failurePercentage === false
      ? []
      : origins.map((origin) => new FailurePercentage(failurePercentage, origin))),
  ];
}
