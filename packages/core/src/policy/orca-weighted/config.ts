import type { z } from 'zod';
import { durationMs, number, object } from '../../schema/fields.ts';

/** What a user may write. Names and defaults are those of gRFC A58. */
export interface OrcaWeightedOptions {
  /**
   * How long an endpoint must have reported before its weight counts, in milliseconds, 0..3,600,000. Default 10,000: the
   * first reports of a process that starts say little of what it will bear.
   */
  readonly blackoutMs?: number;
  /** Age in milliseconds at which a weight is forgotten, 1,000..86,400,000. Default 180,000. */
  readonly expiryMs?: number;
  /** How often weights are worked out anew, in milliseconds, 100..600,000. Default 1,000. */
  readonly updateMs?: number;
  /**
   * What errors count as: an endpoint all of whose requests fail looks busier by this much. 0..1,000, default 1, which is
   * as if it were busy up to its limit besides.
   */
  readonly errorPenalty?: number;
}

/** Options with the defaults filled in. */
export interface OrcaWeightedConfig {
  readonly blackoutMs: number;
  readonly expiryMs: number;
  readonly updateMs: number;
  readonly errorPenalty: number;
}

export const orcaWeightedSchema: z.ZodType<OrcaWeightedConfig> = object({
  blackoutMs: durationMs({ min: 0, max: 3_600_000 })
    .default(10_000)
    .describe('How long an endpoint must have reported before its weight counts.'),
  expiryMs: durationMs({ min: 1_000, max: 86_400_000 })
    .default(180_000)
    .describe('Age at which a weight is forgotten.'),
  updateMs: durationMs({ min: 100, max: 600_000 })
    .default(1_000)
    .describe('How often weights are worked out anew.'),
  errorPenalty: number({ min: 0, max: 1_000 })
    .default(1)
    .describe('By how much an endpoint looks busier all of whose requests fail.'),
});
