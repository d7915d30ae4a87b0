/** Options of the detectors that compare members once per interval. */
import type { z } from 'zod';
import { integer, number, object, percent } from '../../schema/fields.ts';
import type { Optional } from './optional.ts';

/** Who stands out against the mean. Numbers of Envoy and gRFC A50, and two guards of ours. */
export interface SuccessRateConfig {
  /**
   * How many standard deviations below the mean a success rate has to be. 0..10, default 1.9 (1900 thousandths in
   * Envoy and A50).
   */
  readonly stdevFactor: number;
  /** With fewer judged endpoints than this, nobody is judged. 2..10,000, default 5: the least where one can be found. */
  readonly minimumEndpoints: number;
  /** An endpoint with fewer requests in the interval is not judged. 1..1,000,000, default 100. */
  readonly minimumRequests: number;
  /**
   * How many points of percent below the mean it has to be as well: an endpoint is not thrown away for a difference
   * that nobody feels. 0..100, default 5; 0: any difference, as in A50.
   */
  readonly minimumDifferencePercent: number;
  /**
   * How improbable it has to be that chance alone made the difference, per endpoint and interval. Above 0, at most 1.
   * Default 1e-9: less than one false alarm in ten days with 10,000 endpoints and intervals of 10 s. 1: no such test,
   * as in A50.
   */
  readonly falseAlarmRatio: number;
}

/** Who fails too much, whatever the others do. */
export interface FailurePercentageConfig {
  /** Share of failures that ejects, this share included. 1..100, default 85. */
  readonly thresholdPercent: number;
  /** With fewer judged endpoints than this, nobody is judged. 1..10,000, default 5. */
  readonly minimumEndpoints: number;
  /** An endpoint with fewer requests in the interval is not judged. 1..1,000,000, default 50. */
  readonly minimumRequests: number;
}

const requests = (): z.ZodNumber => integer({ min: 1, max: 1_000_000 });

export const successRateSchema: z.ZodType<SuccessRateConfig, Optional<SuccessRateConfig>> = object({
  stdevFactor: number({ min: 0, max: 10 })
    .default(1.9)
    .describe('Standard deviations below the mean that eject.'),
  minimumEndpoints: integer({ min: 2, max: 10_000 })
    .default(5)
    .describe('With fewer endpoints that have enough requests, nobody is judged.'),
  minimumRequests: requests()
    .default(100)
    .describe('An endpoint with fewer requests in an interval is not judged.'),
  minimumDifferencePercent: percent()
    .default(5)
    .describe('Points of percent below the mean that it takes as well. 0: any difference.'),
  falseAlarmRatio: number({ min: 1e-15, max: 1 })
    .default(1e-9)
    .describe(
      'How improbable it must be that chance made the difference, per endpoint and interval. 1: no such test.',
    ),
});

export const failurePercentageSchema: z.ZodType<
  FailurePercentageConfig,
  Optional<FailurePercentageConfig>
> = object({
  thresholdPercent: number({ min: 1, max: 100 })
    .default(85)
    .describe('Share of failures in an interval that ejects.'),
  minimumEndpoints: integer({ min: 1, max: 10_000 })
    .default(5)
    .describe('With fewer endpoints that have enough requests, nobody is judged.'),
  minimumRequests: requests()
    .default(50)
    .describe('An endpoint with fewer requests in an interval is not judged.'),
});
