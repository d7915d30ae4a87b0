import type { z } from 'zod';
import { object, oneOf } from '../../schema/fields.ts';

/** What a user may write. */
export interface WeightedRoundRobinOptions {
  /**
   * - `edf` (default): earliest deadline first, O(log n) per pick; no endpoint strays more than 4 picks from its share.
   * - `smooth`: the interleaving of nginx, at most 2 picks from the share, but O(n) per pick: up to a few dozen endpoints.
   *
   * `edf` is the default because its cost does not depend on knowing the number of endpoints beforehand, and nobody
   * notices 4 picks.
   */
  readonly algorithm?: 'edf' | 'smooth';
}

/** Options with the defaults filled in. */
export interface WeightedRoundRobinConfig {
  readonly algorithm: 'edf' | 'smooth';
}

export const weightedRoundRobinSchema: z.ZodType<WeightedRoundRobinConfig> = object({
  algorithm: oneOf(['edf', 'smooth'])
    .default('edf')
    .describe('`edf`: O(log n) per pick. `smooth`: as nginx, more even, O(n) per pick.'),
});
