import type { z } from 'zod';
import { durationMs, flag, integer, number, object, oneOf } from '../../schema/fields.ts';

/** How an ejected endpoint comes back when no active check brings it back earlier. */
export type ReturnMode = 'trial' | 'time';

/** What a user writes. Everything has a default; see {@link OutlierDetectionConfig}. */
export type OutlierDetectionOptions = {
  readonly [Key in keyof OutlierDetectionConfig]?: OutlierDetectionConfig[Key] | undefined;
};

/** Checked options of passive health. Numbers follow Envoy and gRFC A50 unless a reason is given. */
export interface OutlierDetectionConfig {
  /** Failures in a row that eject an endpoint; 0 switches the rule off. 0..1000, default 5. */
  readonly consecutiveFailures: number;
  /**
   * Connections in a row that could not be made and that eject an endpoint; 0 switches the rule off. 0..1000,
   * default 3: nobody listening is stronger evidence than an error page, and such a request was never sent, so the
   * endpoint cannot be "half working".
   */
  readonly consecutiveConnectFailures: number;
  /**
   * Length of the first ejection; the n-th in short succession lasts n times as long. 1 ms..24 h, default 10,000.
   * Envoy has 30 s, but there a return costs as many failures as it takes to eject again. Here it costs one request
   * (see {@link returnBy}), so it can be tried sooner.
   */
  readonly baseEjectionMs: number;
  /** Cap of the growing time, before jitter. At least `baseEjectionMs`, at most 24 h, default 300,000. */
  readonly maxEjectionMs: number;
  /** Every ejection is longer or shorter by up to this share, so that a fleet does not march in step. 0..1, default 0.1. */
  readonly jitterRatio: number;
  /** Time without a new ejection that forgives one step of growth. 1 ms..24 h, default 30,000. */
  readonly decayMs: number;
  /**
   * Largest share of the members that may be ejected at once, rounded down, but always at least one of two or more.
   * 1..100, default 50. Envoy's 10 leaves a cluster of five with a single ejection; with 50 at most half are out, the
   * survivors take at most twice their load, and ejection alone can never cause panic, whose threshold is "fewer than
   * 50 % healthy".
   */
  readonly maxEjectionPercent: number;
  /** Share of the decided ejections that are carried out; 0 only reports what would happen. 0..100, default 100. */
  readonly enforcingPercent: number;
  /**
   * `trial`: after the time a single request is let through and decides. `time`: the endpoint comes back when the
   * time is over, and its first failure ejects it again. Left out: the cluster chooses, `time` for keyed policies
   * (a trial would send a key to a stranger) and `trial` for all others.
   */
  readonly returnBy?: ReturnMode | undefined;
  /**
   * If the time is over and no outcome has decided for this long (nobody wanted the trial, or it never ended), the
   * endpoint comes back as with `time`. 1 ms..24 h, default 10,000.
   */
  readonly trialLimitMs: number;
  /** Does an active check that failed and passes again end an ejection at once? Default true. */
  readonly activeCheckReturns: boolean;
}

const DAY_MS = 86_400_000;
const length = (): z.ZodNumber => durationMs({ min: 1, max: DAY_MS });
const streak = (): z.ZodNumber => integer({ min: 0, max: 1000 });

/** Schema of the option `outlierDetection` of a cluster. */
export const outlierDetectionSchema: z.ZodType<OutlierDetectionConfig, OutlierDetectionOptions> =
  object({
    consecutiveFailures: streak()
      .default(5)
      .describe('Failures in a row that eject an endpoint. 0: never.'),
    consecutiveConnectFailures: streak()
      .default(3)
      .describe('Connection failures in a row that eject an endpoint. 0: never.'),
    baseEjectionMs: length()
      .default(10_000)
      .describe(
        'Length of the first ejection; the n-th in short succession lasts n times as long.',
      ),
    maxEjectionMs: length()
      .default(300_000)
      .describe('Longest ejection, before jitter. At least the base.'),
    jitterRatio: number({ min: 0, max: 1 })
      .default(0.1)
      .describe('Every ejection is longer or shorter by up to this share.'),
    decayMs: length().default(30_000).describe('Time in rotation that forgives one ejection.'),
    maxEjectionPercent: number({ min: 1, max: 100 })
      .default(50)
      .describe(
        'Largest share of the members that may be ejected at once; one of two or more always may.',
      ),
    enforcingPercent: number({ min: 0, max: 100 })
      .default(100)
      .describe('Share of the decided ejections that are carried out. 0: only report them.'),
    returnBy: oneOf(['trial', 'time'])
      .optional()
      .describe(
        'What ends an ejection: a single trial request, or the time alone. Left out: time for keyed policies, else trial.',
      ),
    trialLimitMs: length()
      .default(10_000)
      .describe('How long a trial is waited for before the endpoint comes back by time.'),
    activeCheckReturns: flag()
      .default(true)
      .describe('Does an active check that failed and passes again end an ejection at once?'),
  }).superRefine((options, context) => {
    if (options.maxEjectionMs < options.baseEjectionMs) {
      context.addIssue({
        code: 'custom',
        path: ['maxEjectionMs'],
        message: `a duration of at least baseEjectionMs (${options.baseEjectionMs} ms)`,
      });
    }
  });
