import type { z } from 'zod';
import { flag, integer, number, object } from '../../schema/fields.ts';

/** What a user may write. */
export interface LeastRequestOptions {
  /**
   * Candidates drawn per pick, 2..10. Default 2: the step from one to two is the one that counts (Mitzenmacher 2001),
   * and more draws make many clients run after the same endpoint. The range is that of gRFC A48.
   */
  readonly choiceCount?: number;
  /**
   * Look at every endpoint instead of drawing candidates. Default false. Costs O(n) per pick, and many clients that do
   * it herd onto the one endpoint that looks idle to all of them.
   */
  readonly fullScan?: boolean;
  /**
   * How much load counts against weight when weights differ, 0..10: endpoints compare by `(active + 1)^bias / weight`.
   * Default 1: in-flight requests end up in proportion to the weights. Above 1 load counts for more, below for less; at
   * 0 the weights alone decide. Equal weights make every bias but 0 the same.
   */
  readonly bias?: number;
  /**
   * As how many requests in flight a failed request goes on counting, 0..100, fading with a time constant of 10 s.
   * Default 1. What is for failed connections ends earlier with successes. At 0 failures are forgotten at once, and an endpoint that fails fast draws more than its share.
   */
  readonly failurePenalty?: number;
}

/** Options with the defaults filled in. */
export interface LeastRequestConfig {
  readonly choiceCount: number;
  readonly fullScan: boolean;
  readonly bias: number;
  readonly failurePenalty: number;
}

export const leastRequestSchema: z.ZodType<LeastRequestConfig> = object({
  choiceCount: integer({ min: 2, max: 10 }).default(2).describe('Candidates drawn per pick.'),
  fullScan: flag()
    .default(false)
    .describe('Look at every endpoint instead of drawing candidates: O(n) per pick.'),
  bias: number({ min: 0, max: 10 })
    .default(1)
    .describe('How much load counts against weight when weights differ.'),
  failurePenalty: number({ min: 0, max: 100 })
    .default(1)
    .describe('As how many requests in flight a failed one goes on counting, fading over 10 s.'),
});
