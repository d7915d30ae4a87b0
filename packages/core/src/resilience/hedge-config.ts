import type { z } from 'zod';
import { durationMs, integer, number, object } from '../schema/fields.ts';

/** What a user writes at `hedge: {...}`. Everything has a default; see {@link HedgeConfig}. */
export type HedgeOptions = {
  readonly [Key in keyof HedgeConfig]?: HedgeConfig[Key] | undefined;
};

/** Checked options of hedging. */
export interface HedgeConfig {
  /**
   * Wait this long for an answer before a second endpoint is asked. 0..600,000 ms. Default: the percentile below.
   * With both, the fixed delay serves until enough latencies are known.
   */
  readonly delayMs?: number | undefined;
  /**
   * Wait as long as this percentage of requests takes at most: 95 means that about 5 % of requests are hedged.
   * 1..99.99. Default 95 when `delayMs` is left out, else none.
   */
  readonly percentile?: number | undefined;
  /** The delay is never shorter, 0..60,000 ms, default 1: below that, timers decide more than latencies do. */
  readonly minDelayMs: number;
  /** Further tries beside the first, 1..4, default 1. Each waits the delay after the one before. */
  readonly maxHedges: number;
  /** How often the percentile is read, 100..600,000 ms, default 3,000. */
  readonly refreshMs: number;
  /** Latencies of this age count 1/e in the percentile. 1,000..3,600,000 ms, default 30,000. */
  readonly tauMs: number;
  /** No hedges by percentile before so many latencies are known. 1..1,000,000, default 100. */
  readonly minSamples: number;
}

/** Schema of the option `hedge`. */
export const hedgeSchema: z.ZodType<HedgeConfig, HedgeOptions> = object({
  delayMs: durationMs({ min: 0, max: 600_000 })
    .optional()
    .describe('Fixed delay before a second endpoint is asked. Left out: the percentile.'),
  percentile: number({ min: 1, max: 99.99 })
    .optional()
    .describe('Hedge what takes longer than this percentage of requests does. 95 by default.'),
  minDelayMs: durationMs({ min: 0, max: 60_000 }).default(1).describe('Shortest delay.'),
  maxHedges: integer({ min: 1, max: 4 }).default(1).describe('Further tries beside the first.'),
  refreshMs: durationMs({ min: 100, max: 600_000 })
    .default(3_000)
    .describe('How often the percentile is read.'),
  tauMs: durationMs({ min: 1_000, max: 3_600_000 })
    .default(30_000)
    .describe('Age at which a latency counts 1/e.'),
  minSamples: integer({ min: 1, max: 1_000_000 })
    .default(100)
    .describe('Latencies that have to be known before the percentile is used.'),
});
