import { z } from 'zod';
import { durationMs, flag, integer, number, object, oneOf } from '../../schema/fields.ts';
import {
  type FailurePercentageConfig,
  failurePercentageSchema,
  type SuccessRateConfig,
  successRateSchema,
} from './comparison-config.ts';
import {
  type EnforcingPercent,
  type EnforcingPercentOptions,
  enforcingPercentSchema,
} from './enforcement.ts';
import type { Optional } from './optional.ts';

/** How an ejected endpoint comes back when no active check brings it back earlier. */
export type ReturnMode = 'trial' | 'time';

/** What a user writes. Everything has a default; see {@link OutlierDetectionConfig}. */
export type OutlierDetectionOptions = Optional<
  Omit<
    OutlierDetectionConfig,
    'consecutive' | 'successRate' | 'failurePercentage' | 'enforcingPercent'
  > & {
    readonly consecutive: Optional<ConsecutiveConfig>;
    readonly successRate: Optional<SuccessRateConfig> | false;
    readonly failurePercentage: Optional<FailurePercentageConfig> | false;
    readonly enforcingPercent: EnforcingPercentOptions;
  }
>;

/** Failures in a row that eject an endpoint: four runs with a limit each, 0..1000; 0 switches the limit off. */
export interface ConsecutiveConfig {
  /** Failures of any kind; with `splitLocalOriginErrors` only those that the endpoint answered with. Default 5. */
  readonly failures: number;
  /**
   * HTTP 502, 503 and 504, and unless they are split also local-origin failures. Default 0: with the limit of
   * `failures`, of which they are a part, it would only be told under another name. Give it a lower one, or a higher
   * one beside `failures: 0`, where an endpoint's own 500s say nothing about it but those of its gateway do.
   */
  readonly gatewayFailures: number;
  /**
   * Connections that could not be made. Default 3: nobody listening is stronger evidence than an error page, and such
   * a request was never sent, so the endpoint cannot be "half working".
   */
  readonly connectFailures: number;
  /** Local-origin failures: no connection, connection broken off, timeout. Default 5. */
  readonly localOriginFailures: number;
}

/** Checked options of passive health. Numbers follow Envoy and gRFC A50 unless a reason is given. */
export interface OutlierDetectionConfig {
  /** Detectors on the request path, quick to speak. */
  readonly consecutive: ConsecutiveConfig;
  /**
   * Ejects who is far below the mean of the members. Default on: with its guards it is silent among equals, and it alone
   * sees an endpoint that fails every second request. It needs 5 endpoints with 100 requests each in an interval.
   */
  readonly successRate: SuccessRateConfig | false;
  /**
   * Ejects who fails a fixed share of its requests. Default off: it does not look at the others, so a fault that all
   * share would eject as many as may be, for nothing; and a run of 5 failures finds such an endpoint sooner.
   */
  readonly failurePercentage: FailurePercentageConfig | false;
  /**
   * Are failures that the client saw happen itself (no connection, broken off, timeout) judged apart from those that an
   * endpoint answered with? Then every detector has a counterpart for them. Default false: a failure is a failure.
   */
  readonly splitLocalOriginErrors: boolean;
  /** How often `successRate` and `failurePercentage` judge, and what they look back on. 1 s..24 h, default 10,000. */
  readonly intervalMs: number;
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
  readonly enforcingPercent: EnforcingPercent;
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
const ERROR_FALSE_OR_OPTIONS = { error: 'false, or an object with options' };

const consecutiveSchema = object({
  failures: streak().default(5).describe('Failures in a row that eject an endpoint. 0: never.'),
  gatewayFailures: streak().default(0).describe('HTTP 502, 503 or 504 in a row. 0: never.'),
  connectFailures: streak()
    .default(3)
    .describe('Connections in a row that could not be made. 0: never.'),
  localOriginFailures: streak()
    .default(5)
    .describe('No connection, broken off, or timed out, in a row. 0: never.'),
});

/** Schema of the option `outlierDetection` of a cluster. */
export const outlierDetectionSchema: z.ZodType<OutlierDetectionConfig, OutlierDetectionOptions> =
  object({
    consecutive: consecutiveSchema.prefault({}).describe('Failures in a row that eject.'),
    successRate: z
      .union([z.literal(false), successRateSchema], ERROR_FALSE_OR_OPTIONS)
      .prefault({})
      .describe('Ejects who is far below the mean of the members. On by default; false: off.'),
    failurePercentage: z
      .union([z.literal(false), failurePercentageSchema], ERROR_FALSE_OR_OPTIONS)
      .default(false)
      .describe('Ejects who fails a fixed share of its requests. Off by default.'),
    splitLocalOriginErrors: flag()
      .default(false)
      .describe('Are failures that the client saw itself judged apart from bad answers?'),
    intervalMs: durationMs({ min: 1_000, max: DAY_MS })
      .default(10_000)
      .describe('How often members are compared, and over what time.'),
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
    enforcingPercent: enforcingPercentSchema
      .default(100)
      .describe(
        'Share of the decided ejections that are carried out: one number, or one for each detector. 0: only report them.',
      ),
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
