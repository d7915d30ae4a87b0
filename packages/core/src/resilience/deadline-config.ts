import type { z } from 'zod';
import { durationMs, flag, object } from '../schema/fields.ts';

/** Longest time that is configured, sent or believed: 24 hours. */
export const MAX_TIMEOUT_MS = 86_400_000;

/** What a user writes. Everything has a default; see {@link DeadlineConfig}. */
export type DeadlineOptions = {
  readonly [Key in keyof DeadlineConfig]?: DeadlineConfig[Key] | undefined;
};

/** Checked options of deadlines. */
export interface DeadlineConfig {
  /** Time for a request with all its tries and pauses. 1 ms..24 h. Default: none, because a long download is no failure. */
  readonly totalMs?: number | undefined;
  /** Time for one try. 1 ms..24 h. Default: none but the total. */
  readonly perTryTimeoutMs?: number | undefined;
  /**
   * Least time that must be left for a try to be worth making. 0..60,000 ms, default 1. About the latency of a fast
   * answer is a good value.
   */
  readonly minTryMs: number;
  /** Tell endpoints how much time is left? Default true. */
  readonly propagate: boolean;
  /** Let callers shorten the deadline by what they say is left? Default true. */
  readonly inherit: boolean;
  /** Taken off what is sent, for the way there and back. 0..60,000 ms, default 0. */
  readonly hopMs: number;
}

/** Schema of the option `deadline`. */
export const deadlineSchema: z.ZodType<DeadlineConfig, DeadlineOptions> = object({
  totalMs: durationMs({ min: 1, max: MAX_TIMEOUT_MS })
    .optional()
    .describe('Time for a request with all its tries and pauses. Left out: no limit.'),
  perTryTimeoutMs: durationMs({ min: 1, max: MAX_TIMEOUT_MS })
    .optional()
    .describe('Time for one try. Left out: no limit but the total.'),
  minTryMs: durationMs({ min: 0, max: 60_000 })
    .default(1)
    .describe('Least time that must be left for another try.'),
  propagate: flag().default(true).describe('Tell endpoints how much time is left.'),
  inherit: flag().default(true).describe('Let callers shorten the deadline.'),
  hopMs: durationMs({ min: 0, max: 60_000 })
    .default(0)
    .describe('Taken off the time that is sent, for the way there and back.'),
});
