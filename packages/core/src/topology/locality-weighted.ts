/**
 * Locality-weighted routing: every zone takes a configured share, and gives up part of it as its endpoints fail, with
 * the same tolerance as priority levels (Envoy, "locality weighted load balancing"):
 *
 * ```text
 * effective weight = weight * min(1, 1.4 * healthy / all)        share = effective weight / sum of all zones
 * ```
 */

/** What one zone has to offer. */
export interface WeightedZone {
  /** Configured share, 0 or more, relative to the other zones. */
  readonly weight: number;
  readonly healthyCount: number;
  readonly candidateCount: number;
}

/**
 * The share of each zone, 0..1; they add up to 1 unless nobody is healthy. When only zones of weight 0 have healthy
 * endpoints, those take everything, by their numbers.
 *
 * | zone | weight | healthy | effective | share |
 * |---|---|---|---|---|
 * | a | 50 | 10 of 10 | 50 | 59 % |
 * | b | 50 | 5 of 10 | 50 * 0.7 = 35 | 41 % |
 */
export function localityShares(
  zones: readonly WeightedZone[],
  overprovisioningFactor: number,
): number[] {
  const effective = zones.map(({ weight, healthyCount, candidateCount }) =>
    healthyCount === 0
      ? 0
      : weight * Math.min(1, (overprovisioningFactor * healthyCount) / candidateCount),
  );
  return effective.some((weight) => weight > 0)
    ? sharesOf(effective)
    : sharesOf(zones.map(({ healthyCount }) => healthyCount));
}

/** Values as parts of their sum; all 0 when that is 0. */
export function sharesOf(values: readonly number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => (sum === 0 ? 0 : value / sum));
}
