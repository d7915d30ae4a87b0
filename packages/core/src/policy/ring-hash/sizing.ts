import { MAX_RING_SIZE, type RingSizing } from '../../algorithm/ring-sizing.ts';
import type { RingHashConfig } from './config.ts';

/** Points per endpoint, on average, beyond which a native ring only gets slower: shares vary by 1/sqrt(1024) = 3 %. */
const MAX_MEAN_POINTS = 1024;

/** The sizing of a ring for given weights. Always one that the ring accepts, whatever the weights are. */
export function sizingOf(config: RingHashConfig, weights: Float64Array): RingSizing {
  switch (config.mode) {
    case 'envoy': {
      // Rounding may add a point per endpoint to the bound; at the very limit that would be refused.
      const maxSize = Math.min(config.maxRingSize, MAX_RING_SIZE - weights.length);
      return { kind: 'bounded', minSize: Math.min(config.minRingSize, maxSize), maxSize };
    }
    case 'native':
      return { kind: 'stable', pointsPerWeight: stablePoints(config, weights) };
  }
}

/**
 * Weights are relative, so "100 each" must not make a ring a hundred times larger than "1 each". Points are halved until
 * the ring fits: powers of two change only when the mean weight crosses one, and then every second point stays where it
 * is. With weights up to 6 and the default 160 points nothing is ever halved.
 */
function stablePoints(
  { pointsPerWeight, maxRingSize }: RingHashConfig,
  weights: Float64Array,
): number {
  const count = weights.length;
  const wanted = Math.max(MAX_MEAN_POINTS, pointsPerWeight) * count;
  // Everyone gets one point at least, and rounding may add half a point each.
  const limit = Math.max(1, Math.min(wanted, maxRingSize, MAX_RING_SIZE) - count);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let points = pointsPerWeight;
  while (total * points > limit) points /= 2;
  return points;
}
