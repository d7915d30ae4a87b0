/**
 * From single results to a verdict: the state machine behind `rise` and `fall`, as a pure function.
 *
 * | now | result | verdict after it |
 * |---|---|---|
 * | no verdict yet | success | healthy: the first success is enough |
 * | no verdict yet, initial 'unchecked' | failure | unhealthy: waiting longer would change nothing for traffic |
 * | no verdict yet, initial 'healthy' | failure | unhealthy after `fall` in a row, as if it had been healthy |
 * | healthy | failure | unhealthy after `fall` in a row |
 * | unhealthy | success | healthy after `rise` in a row |
 *
 * The first two rows are Envoy's: a new endpoint should not need `rise` intervals before it may work.
 */
import type { InitialHealth } from './timing-config.ts';

export interface RiseFallRule {
  readonly rise: number;
  readonly fall: number;
  readonly initial: InitialHealth;
}

/** What is known of an endpoint. One of the two counts is always 0. */
export interface Standing {
  /** Undefined until the first verdict. */
  readonly healthy: boolean | undefined;
  readonly consecutiveSuccesses: number;
  readonly consecutiveFailures: number;
}

/** Of an endpoint that was never checked. */
export const UNKNOWN_STANDING: Standing = Object.freeze({
  healthy: undefined,
  consecutiveSuccesses: 0,
  consecutiveFailures: 0,
});

/** The standing after one more result. */
export function nextStanding(standing: Standing, passed: boolean, rule: RiseFallRule): Standing {
  const consecutiveSuccesses = passed ? standing.consecutiveSuccesses + 1 : 0;
  const consecutiveFailures = passed ? 0 : standing.consecutiveFailures + 1;
  let { healthy } = standing;
  if (passed) {
    if (healthy === undefined || consecutiveSuccesses >= rule.rise) healthy = true;
  } else {
    const first = healthy === undefined && rule.initial === 'unchecked';
    if (first || consecutiveFailures >= rule.fall) healthy = false;
  }
  return { healthy, consecutiveSuccesses, consecutiveFailures };
}
