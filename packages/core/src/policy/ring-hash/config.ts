import type { z } from 'zod';
import { DEFAULT_POINTS_PER_WEIGHT, MAX_RING_SIZE } from '../../algorithm/ring-sizing.ts';
import { integer, object, oneOf } from '../../schema/fields.ts';
import { type HashKeyOptions, hashKeySourceSchema } from '../hash-key.ts';

/** Options of `ring-hash`. */
export interface RingHashOptions extends HashKeyOptions {
  /**
   * How many points an endpoint gets. Default `envoy`.
   *
   * - `envoy`: the whole ring has between `minRingSize` and `maxRingSize` points, as in Envoy and gRPC, so that rings
   *   are equal to theirs. When the number of endpoints changes, so do the points of all, and surviving keys move.
   * - `native`: `pointsPerWeight` for each unit of weight, whoever else is there: only keys of the endpoint that came
   *   or went move. Leaves `minRingSize` aside.
   */
  readonly mode?: RingHashMode | undefined;
  /** Function that places the points: XXH64 with seed 0, or MurmurHash2-64A with Envoy's seed. Default `xx-hash`. */
  readonly hashFunction?: RingHashFunction | undefined;
  /**
   * Mode `envoy`: least number of points, 1..8388608. Default 1024. A share varies by 1/sqrt(points per endpoint), so
   * take 1000 times the number of endpoints for shares within some 3 %.
   */
  readonly minRingSize?: number | undefined;
  /**
   * Most points, 1..8388608, not below `minRingSize`. Default 8388608. gRPC clients clamp both sizes to 4096 (gRFC
   * A42): set 4096 for rings equal to theirs. Holds in both modes; 16 bytes a point.
   */
  readonly maxRingSize?: number | undefined;
  /** Mode `native`: points per unit of weight, 1..65536. Default 160: shares vary by 8 %. */
  readonly pointsPerWeight?: number | undefined;
}

export type RingHashMode = 'envoy' | 'native';
export type RingHashFunction = 'xx-hash' | 'murmur2';

/** {@link RingHashOptions} with the defaults filled in. */
export interface RingHashConfig extends HashKeyOptions {
  readonly mode: RingHashMode;
  readonly hashFunction: RingHashFunction;
  readonly minRingSize: number;
  readonly maxRingSize: number;
  readonly pointsPerWeight: number;
}

export const ringHashSchema: z.ZodType<RingHashConfig> = object({
  mode: oneOf(['envoy', 'native'])
    .default('envoy')
    .describe(
      'Points by the size of the ring, as in Envoy and gRPC, or a fixed number per weight.',
    ),
  hashFunction: oneOf(['xx-hash', 'murmur2'])
    .default('xx-hash')
    .describe('Function that places the points.'),
  minRingSize: integer({ min: 1, max: MAX_RING_SIZE })
    .default(1024)
    .describe('Mode `envoy`: least number of points.'),
  maxRingSize: integer({ min: 1, max: MAX_RING_SIZE })
    .default(MAX_RING_SIZE)
    .describe('Most points. gRPC clients have at most 4096.'),
  pointsPerWeight: integer({ min: 1, max: 65_536 })
    .default(DEFAULT_POINTS_PER_WEIGHT)
    .describe('Mode `native`: points per unit of weight.'),
  hashKey: hashKeySourceSchema.optional(),
}).refine(({ mode, minRingSize, maxRingSize }) => mode === 'native' || minRingSize <= maxRingSize, {
  path: ['minRingSize'],
  error: 'at most maxRingSize',
});
