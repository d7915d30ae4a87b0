import { z } from 'zod';
import type { OutcomeName } from '../model/outcome.ts';
import { durationMs, flag, integer, number, object, oneOf } from '../schema/fields.ts';
import { GrpcCode, MAX_GRPC_CODE } from './grpc-code.ts';

/** What a user writes at `retry: {...}`. Everything has a default; see {@link RetryConfig}. */
export type RetryPolicyOptions = {
  readonly [Key in keyof Omit<RetryConfig, 'budget'>]?: RetryConfig[Key] | undefined;
} & {
  readonly budget?:
    | { readonly [Key in keyof RetryConfig['budget']]?: RetryConfig['budget'][Key] | undefined }
    | undefined;
};

/** Failures without an answer that may be retried. */
export type RetryableOutcome = Extract<OutcomeName, 'connectFailure' | 'reset' | 'timeout'>;

/** Checked options of retries. */
export interface RetryConfig {
  /** Tries after the first one, at most: 2 means up to three tries in all. An integer 0..5, default 2. */
  readonly attempts: number;
  /** Failures without an answer worth a try elsewhere. Default all: `connectFailure`, `reset`, `timeout`. */
  readonly outcomes: readonly RetryableOutcome[];
  /**
   * HTTP statuses worth a try elsewhere, of idempotent requests only. 400..599, default 429, 502, 503, 504. Not 500:
   * that is mostly a fault in the program or the request, which the next endpoint has, too.
   */
  readonly statuses: readonly number[];
  /**
   * gRPC codes worth a try elsewhere, of calls that were declared idempotent. 1..16, default 14 (unavailable), the one
   * that gRFC A6 names as safe in general.
   */
  readonly grpcCodes: readonly number[];
  /** How much all retries and hedges together may add to the load; see `RetryBudget`. */
  readonly budget: {
    /** Per first try, 0..10, default 0.2. */
    readonly ratio: number;
    /** Whatever the traffic, 0..1,000,000 per second, default 10. */
    readonly minPerSecond: number;
    /** Seconds that the budget looks back, an integer 1..60, default 10. */
    readonly windowSeconds: number;
  };
  /**
   * Ceiling of the first pause; doubles with each. 0..60,000 ms, default 20. 0: no pauses at all.
   */
  readonly baseBackoffMs: number;
  /** Largest ceiling. 1..60,000 ms, default 250. */
  readonly maxBackoffMs: number;
  /**
   * `equal`: half the ceiling and a random part of the other half. `full`: any part of the ceiling. Default equal: a
   * retry is never part of the burst that failed.
   */
  readonly jitter: 'equal' | 'full';
  /**
   * Pause before the first retry, too? Default false: it goes to another endpoint, which has nothing to recover from.
   * A second one means that more is wrong than one endpoint. gRFC A6 wants true.
   */
  readonly pauseFirst: boolean;
  /**
   * Longest `Retry-After` or pushback to wait for; when more is asked, the caller gets the failure. 0..60,000 ms,
   * default 1,000.
   */
  readonly maxRetryAfterMs: number;
  /**
   * Whom a `Retry-After` binds. `endpoint`: who sent it, so that a retry may go elsewhere at once. `cluster`: everyone,
   * right where it stands for a limit that all endpoints share. Default endpoint. gRPC's pushback always binds everyone.
   */
  readonly retryAfterScope: 'endpoint' | 'cluster';
}

/** Schema of the option `retry`. */
export const retrySchema: z.ZodType<RetryConfig, RetryPolicyOptions> = object({
  attempts: integer({ min: 0, max: 5 }).default(2).describe('Tries after the first one, at most.'),
  outcomes: z
    .array(oneOf(['connectFailure', 'reset', 'timeout']))
    .default(['connectFailure', 'reset', 'timeout'])
    .describe('Failures without an answer worth a try elsewhere.'),
  statuses: z
    .array(integer({ min: 400, max: 599 }))
    .default([429, 502, 503, 504])
    .describe('HTTP statuses worth a try elsewhere, of idempotent requests only.'),
  grpcCodes: z
    .array(integer({ min: 1, max: MAX_GRPC_CODE }))
    .default([GrpcCode.unavailable])
    .describe('gRPC codes worth a try elsewhere, of idempotent calls only.'),
  budget: object({
    ratio: number({ min: 0, max: 10 }).default(0.2).describe('Retries per first try.'),
    minPerSecond: number({ min: 0, max: 1_000_000 })
      .default(10)
      .describe('Retries per second whatever the traffic.'),
    windowSeconds: integer({ min: 1, max: 60 })
      .default(10)
      .describe('How far the budget looks back.'),
  })
    .prefault({})
    .describe('How much all retries and hedges together may add to the load.'),
  baseBackoffMs: durationMs({ min: 0, max: 60_000 })
    .default(20)
    .describe('Ceiling of the first pause; doubles with each. 0: no pauses.'),
  maxBackoffMs: durationMs({ min: 1, max: 60_000 }).default(250).describe('Largest ceiling.'),
  jitter: oneOf(['equal', 'full']).default('equal').describe('How pauses are spread.'),
  pauseFirst: flag().default(false).describe('Pause before the first retry, too.'),
  maxRetryAfterMs: durationMs({ min: 0, max: 60_000 })
    .default(1_000)
    .describe('Longest Retry-After or pushback to wait for.'),
  retryAfterScope: oneOf(['endpoint', 'cluster'])
    .default('endpoint')
    .describe('Does a Retry-After bind retries to other endpoints, too?'),
});
