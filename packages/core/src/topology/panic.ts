/**
 * The panic rule: when too few endpoints are healthy, health is not believed any more. Sending everything to the few
 * that are left would take them down as well, and it is more likely that the checks are wrong than that so many
 * endpoints broke at the same moment. So everyone gets traffic, and requests fail in proportion instead of all.
 */
import { DEGRADED, HealthFlag } from '../model/health-state.ts';

/** As in Envoy (`healthy_panic_threshold`). */
export const DEFAULT_PANIC_THRESHOLD_PERCENT = 50;

/**
 * Is the healthy share below the threshold?
 *
 * | candidates | healthy | share | threshold 50 |
 * |---|---|---|---|
 * | 4 | 3 | 75 % | healthy ones only |
 * | 4 | 2 | 50 % | healthy ones only: not *below* |
 * | 4 | 1 | 25 % | panic: all four |
 * | 1 | 0 | 0 % | panic: the one |
 * | 0 | 0 | - | no panic: there is nobody to send to |
 *
 * @param presumedHealthyCount candidates for which {@link isPresumedHealthy} holds
 * @param candidateCount members that would take traffic if they were healthy: not draining, not disabled, weight above 0
 * @param thresholdPercent 0..100; 0: never panic, 100: panic as soon as one is not healthy
 */
export function isPanic(
  presumedHealthyCount: number,
  candidateCount: number,
  thresholdPercent: number,
): boolean {
  return presumedHealthyCount * 100 < thresholdPercent * candidateCount;
}

/**
 * Is an endpoint not known to be bad? True for healthy and degraded ones, which work, and for those that wait for their
 * first check: not knowing is no reason for panic. Counted as unhealthy, a cluster that is told to wait for first
 * verdicts would panic at its start and send traffic everywhere at once.
 */
export function isPresumedHealthy(flags: number): boolean {
  return (flags & ~(HealthFlag.unchecked | DEGRADED)) === 0;
}
