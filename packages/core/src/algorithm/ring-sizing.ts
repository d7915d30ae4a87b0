import { checkInteger, checkNumber } from './check.ts';

/** Envoy's limit (`ring_hash.proto`, maximum_ring_size), and ours for every ring: 128 MB of points. */
export const MAX_RING_SIZE: number = 8_388_608;

/** Envoy's default bounds of the ring size. */
export const ENVOY_RING_BOUNDS: RingBounds = Object.freeze({
  minSize: 1024,
  maxSize: MAX_RING_SIZE,
});

/** gRPC's bounds (gRFC A42): `min_ring_size` 1024, `max_ring_size` 4096, which is also the cap of the client. */
export const GRPC_RING_BOUNDS: RingBounds = Object.freeze({ minSize: 1024, maxSize: 4096 });

/** Points per unit of weight in stable sizing: an endpoint's share varies by 1/sqrt(160) = 8 %. */
export const DEFAULT_POINTS_PER_WEIGHT = 160;

/** How large a ring may become: between `minSize` and `maxSize` points, about. */
export interface RingBounds {
  readonly minSize: number;
  readonly maxSize: number;
}

/**
 * gRPC's bounds for a configured pair: larger values are accepted and clamped to the cap of the client (gRFC A42).
 *
 * @throws RangeError unless 1 <= minSize <= maxSize <= 8388608 and 1 <= cap
 */
export function grpcRingBounds(
  bounds: RingBounds,
  cap: number = GRPC_RING_BOUNDS.maxSize,
): RingBounds {
  checkBounds(bounds);
  checkInteger('cap', cap, { min: 1, max: MAX_RING_SIZE });
  return { minSize: Math.min(bounds.minSize, cap), maxSize: Math.min(bounds.maxSize, cap) };
}

/** How the number of points of an endpoint is chosen. */
export type RingSizing =
  /**
   * As Envoy and gRPC do: the lightest endpoint gets a whole number of points, the others their proportion. Points per
   * endpoint depend on all others, so a removal also moves keys of the endpoints that stay (7.8 % of all keys from 10
   * to 9 endpoints at 1024 points). For rings equal to theirs.
   */
  | ({ readonly kind: 'bounded' } & RingBounds)
  /**
   * `weight * pointsPerWeight` points, rounded, whoever else is there: a removal moves only the keys of the removed
   * endpoint, and a change of weight only keys from or to that endpoint.
   */
  | { readonly kind: 'stable'; readonly pointsPerWeight: number };

/** Points of each endpoint under a sizing. @throws RangeError, TypeError */
export function countPoints(weights: Float64Array, sizing: RingSizing): Uint32Array {
  switch (sizing.kind) {
    case 'bounded':
      checkBounds(sizing);
      return countBounded(weights, sizing);
    case 'stable':
      checkNumber('pointsPerWeight', sizing.pointsPerWeight, { above: 0, max: MAX_RING_SIZE });
      return countStable(weights, sizing.pointsPerWeight);
  }
}

function countStable(weights: Float64Array, pointsPerWeight: number): Uint32Array {
  const counts = new Uint32Array(weights.length);
  let total = 0;
  for (let endpoint = 0; endpoint < weights.length; endpoint++) {
    const count = Math.max(1, Math.round((weights[endpoint] as number) * pointsPerWeight));
    total += count;
    counts[endpoint] = count;
  }
  return checkTotal(total, counts);
}

/**
 * Envoy's rule, in Envoy's floating-point operations and order, so that fractions round alike. A running target over
 * all endpoints spreads the rounding: with 4 endpoints and 6 points they get 2, 1, 2, 1.
 */
function countBounded(weights: Float64Array, bounds: RingBounds): Uint32Array {
  let sum = 0;
  for (const weight of weights) sum += weight;
  let lightest = 1;
  for (const weight of weights) lightest = Math.min(lightest, weight / sum);
  const scale = Math.min(Math.ceil(lightest * bounds.minSize) / lightest, bounds.maxSize);

  const counts = new Uint32Array(weights.length);
  let current = 0;
  let target = 0;
  for (let endpoint = 0; endpoint < weights.length; endpoint++) {
    target += scale * ((weights[endpoint] as number) / sum);
    const count = Math.max(0, Math.ceil(target - current));
    counts[endpoint] = count;
    current += count;
  }
  return checkTotal(current, counts);
}

function checkTotal(total: number, counts: Uint32Array): Uint32Array {
  if (total > MAX_RING_SIZE) {
    throw new RangeError(
      `ring size must be at most ${MAX_RING_SIZE} points, got ${total}: lower the weights or points`,
    );
  }
  return counts;
}

function checkBounds(bounds: RingBounds): void {
  checkInteger('maxSize', bounds.maxSize, { min: 1, max: MAX_RING_SIZE });
  checkInteger('minSize', bounds.minSize, { min: 1, max: bounds.maxSize });
}
