/**
 * Slow start: an endpoint that is new, or back from failed checks, begins with a part of its weight and gets all of it
 * over a window. Caches are cold, code is not compiled and pools are empty; its full share at once would make it slow or
 * break it (Envoy, "slow start mode").
 *
 * ```text
 * factor = max(minimum, (max(age, 1 s) / window) ^ (1 / aggression))
 * ```
 *
 * It acts through weights, so through every policy that has them; round robin passes turns on instead. Hash policies are
 * left alone: for them a changing weight is a changing table, and would move keys all the time.
 */

export interface SlowStartConfig {
  /** How long it takes to get to the full weight. 1,000..3,600,000 ms. */
  readonly windowMs: number;
  /** Above 1 the share grows fast at first, below 1 late; 1 is linear. 0.1..10. */
  readonly aggression: number;
  /** Least part of the weight, so that there is any traffic to warm up with. 1..100. */
  readonly minWeightPercent: number;
}

/** Younger than this counts as this old (Envoy): the first requests should not wait for the clock. */
const MIN_AGE_MS = 1_000;

/** Steps in which a weight grows; finer ones would be lost in the randomness of picks. */
const STEPS = 50;
const MIN_STEP_MS = 100;

/**
 * The part of its weight that an endpoint of this age gets, up to 1.
 *
 * | age | window 60 s, aggression 1 | aggression 2 | aggression 0.5 |
 * |---|---|---|---|
 * | 0 s | 10 % | 13 % | 10 % |
 * | 6 s | 10 % | 32 % | 10 % |
 * | 15 s | 25 % | 50 % | 10 % |
 * | 30 s | 50 % | 71 % | 25 % |
 * | 60 s | 100 % | 100 % | 100 % |
 */
export function slowStartFactor(ageMs: number, config: SlowStartConfig): number {
  const { windowMs, aggression, minWeightPercent } = config;
  if (ageMs >= windowMs) return 1;
  const progress = Math.min(1, Math.max(ageMs, MIN_AGE_MS) / windowMs);
  return Math.max(minWeightPercent / 100, progress ** (1 / aggression));
}

/** How often weights are worked out anew while an endpoint warms up. */
export function slowStartStepMs({ windowMs }: SlowStartConfig): number {
  return Math.max(MIN_STEP_MS, windowMs / STEPS);
}
