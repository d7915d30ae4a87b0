import type { z } from 'zod';
import { durationMs, object } from '../../schema/fields.ts';

/** What a user may write. */
export interface PeakEwmaOptions {
  /**
   * Time constant of the averages in milliseconds, 100..600,000. Default 10,000 as in Finagle: what was seen this long
   * ago counts 1/e. Shorter forgives and forgets sooner.
   */
  readonly decayMs?: number;
  /**
   * Time to the first byte in milliseconds, 0.001..60,000, assumed while no endpoint has answered yet. Default 30.
   * After that, an endpoint that has not been measured counts like the average of those that have been: a newcomer that
   * counted as less would be flooded, one that counted as very slow would be starved.
   */
  readonly defaultRttMs?: number;
  /**
   * After how many milliseconds without a request an endpoint is tried again although it loses every comparison,
   * 100..3,600,000. Default 3,000, more for endpoints that were slow or failed. At most 1 pick in 64 is such a trial.
   */
  readonly probeIntervalMs?: number;
  /**
   * How long an endpoint that answered "overloaded" (429, 503 with Retry-After) without saying for how long is left
   * alone, in milliseconds, 0..600,000. Default 1,000.
   */
  readonly overloadHoldMs?: number;
  /** Longest Retry-After that is honoured, in milliseconds, 0..86,400,000. Default 300,000. */
  readonly maxHoldMs?: number;
}

/** Options with the defaults filled in. */
export interface PeakEwmaConfig {
  readonly decayMs: number;
  readonly defaultRttMs: number;
  readonly probeIntervalMs: number;
  readonly overloadHoldMs: number;
  readonly maxHoldMs: number;
}

export const peakEwmaSchema: z.ZodType<PeakEwmaConfig> = object({
  decayMs: durationMs({ min: 100, max: 600_000 })
    .default(10_000)
    .describe('Time constant of the averages: what was seen this long ago counts 1/e.'),
  defaultRttMs: durationMs({ min: 0.001, max: 60_000 })
    .default(30)
    .describe('Time to the first byte assumed while no endpoint has answered yet.'),
  probeIntervalMs: durationMs({ min: 100, max: 3_600_000 })
    .default(3_000)
    .describe('After how long without a request an endpoint is tried again although it looks bad.'),
  overloadHoldMs: durationMs({ min: 0, max: 600_000 })
    .default(1_000)
    .describe(
      'How long an overloaded endpoint is left alone that did not say for how long (429, 503).',
    ),
  maxHoldMs: durationMs({ min: 0, max: 86_400_000 })
    .default(300_000)
    .describe('Longest Retry-After that is honoured.'),
});
