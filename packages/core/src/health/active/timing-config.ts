import type { z } from 'zod';
import { durationMs, integer, number, oneOf } from '../../schema/fields.ts';

/** What an endpoint counts as until its first check has come back. */
export type InitialHealth = 'healthy' | 'unchecked';

/** Options that every kind of active check has. */
export interface CheckTimingConfig {
  /** From the start of one check of an endpoint to the start of the next. 10 ms..24 h, default 5,000. */
  readonly intervalMs: number;
  /** The same for an endpoint that is unhealthy. Left out: `intervalMs`. */
  readonly unhealthyIntervalMs?: number | undefined;
  /** Every interval is longer or shorter by up to this share. 0..1, default 0.1. */
  readonly jitterRatio: number;
  /** Time for one check, from connecting to the last byte that is looked at. 1 ms..10 min, default 1,000. */
  readonly timeoutMs: number;
  /** Successes in a row that make an unhealthy endpoint healthy. 1..100, default 2. */
  readonly rise: number;
  /** Failures in a row that make a healthy endpoint unhealthy. 1..100, default 3. */
  readonly fall: number;
  /**
   * `healthy`: new endpoints get traffic at once. `unchecked`: they wait for their first verdict, and the first
   * result decides. Default `healthy`.
   */
  readonly initial: InitialHealth;
  /**
   * First checks of new endpoints are spread over this time. Left out: `intervalMs`, and at most 1,000 when `initial`
   * is `unchecked`, because then traffic waits. 0..24 h.
   */
  readonly initialSpreadMs?: number | undefined;
  /** Checks of this cluster that run at the same time; more wait in line. 1..10,000, default 100. */
  readonly maxConcurrentChecks: number;
  /** Port to check instead of the endpoint's own. Unix sockets ignore it. */
  readonly port?: number | undefined;
}

const DAY_MS = 86_400_000;
const MAX_TIMEOUT_MS = 600_000;

/** Fields of the options above, for the schema of each kind of check. */
export interface CheckTimingShape {
  readonly intervalMs: z.ZodDefault<z.ZodNumber>;
  readonly unhealthyIntervalMs: z.ZodOptional<z.ZodNumber>;
  readonly jitterRatio: z.ZodDefault<z.ZodNumber>;
  readonly timeoutMs: z.ZodDefault<z.ZodNumber>;
  readonly rise: z.ZodDefault<z.ZodNumber>;
  readonly fall: z.ZodDefault<z.ZodNumber>;
  readonly initial: z.ZodDefault<z.ZodType<InitialHealth, InitialHealth>>;
  readonly initialSpreadMs: z.ZodOptional<z.ZodNumber>;
  readonly maxConcurrentChecks: z.ZodDefault<z.ZodNumber>;
  readonly port: z.ZodOptional<z.ZodNumber>;
}

export const checkTimingFields: CheckTimingShape = {
  intervalMs: durationMs({ min: 10, max: DAY_MS })
    .default(5000)
    .describe('From the start of one check of an endpoint to the start of the next.'),
  unhealthyIntervalMs: durationMs({ min: 10, max: DAY_MS })
    .optional()
    .describe('The same for an endpoint that is unhealthy. Left out: the interval.'),
  jitterRatio: number({ min: 0, max: 1 })
    .default(0.1)
    .describe('Every interval is longer or shorter by up to this share.'),
  timeoutMs: durationMs({ min: 1, max: MAX_TIMEOUT_MS })
    .default(1000)
    .describe('Time for one check, from connecting to the last byte that is looked at.'),
  rise: integer({ min: 1, max: 100 })
    .default(2)
    .describe('Successes in a row that make an unhealthy endpoint healthy.'),
  fall: integer({ min: 1, max: 100 })
    .default(3)
    .describe('Failures in a row that make a healthy endpoint unhealthy.'),
  initial: oneOf(['healthy', 'unchecked'])
    .default('healthy')
    .describe(
      'What a new endpoint counts as until its first verdict; unchecked ones get no traffic.',
    ),
  initialSpreadMs: durationMs({ min: 0, max: DAY_MS })
    .optional()
    .describe(
      'First checks are spread over this time. Left out: the interval, or at most 1 s when initial is unchecked.',
    ),
  maxConcurrentChecks: integer({ min: 1, max: 10_000 })
    .default(100)
    .describe('Checks of this cluster that run at the same time; more wait in line.'),
  port: integer({ min: 1, max: 65_535 })
    .optional()
    .describe("Port to check instead of the endpoint's own."),
};
