import type { z } from 'zod';
import { durationMs, integer, number, object } from '../schema/fields.ts';

/** Checked options of a circuit: when it opens, and how it comes back. Default numbers are Hystrix's. */
export interface CircuitConfig {
  /**
   * The circuit opens when a larger part of the calls failed. 1..99 percent, default 50. Not 100: it has to be exceeded.
   */
  readonly errorThresholdPercent: number;
  /**
   * Fewer calls than this in the window prove nothing. 1..1,000,000, default 20. (opossum's own default is 0: a first
   * call that fails opens the circuit.)
   */
  readonly minRequests: number;
  /** Calls of this time count. 1,000..600,000 ms, default 10,000. */
  readonly windowMs: number;
  /** Parts in which the window slides, 1..60, default 10. */
  readonly buckets: number;
  /** How long an open circuit refuses everything before it lets one trial through. 1 ms..1 h, default 5,000. */
  readonly openMs: number;
  /**
   * A trial that has not ended by then has failed. 1 ms..1 h, default 10,000. Without a limit, a trial that never ends
   * would keep the circuit closed to everyone for ever.
   */
  readonly trialTimeoutMs: number;
}

/** What a user writes at `admission.circuitBreaker.cluster: {...}` and `.endpoint`. */
export type CircuitOptions = {
  readonly [Key in keyof CircuitConfig]?: CircuitConfig[Key] | undefined;
};

/** Checked options of a circuit breaker that makes calls. */
export interface CircuitBreakerConfig extends CircuitConfig {
  /** Time for a `call` whose own options name none. 1 ms..24 h, default 10,000. */
  readonly callTimeoutMs: number;
}

/** What a user passes to `new CircuitBreaker(name, {...})`. */
export type CircuitBreakerOptions = {
  readonly [Key in keyof CircuitBreakerConfig]?: CircuitBreakerConfig[Key] | undefined;
};

const HOUR_MS = 3_600_000;

const shape = {
  errorThresholdPercent: number({ min: 1, max: 99 })
    .default(50)
    .describe('The circuit opens when a larger part of the calls failed.'),
  minRequests: integer({ min: 1, max: 1_000_000 })
    .default(20)
    .describe('Fewer calls in the window prove nothing.'),
  windowMs: durationMs({ min: 1_000, max: 600_000 })
    .default(10_000)
    .describe('Calls of this time count.'),
  buckets: integer({ min: 1, max: 60 }).default(10).describe('Parts in which the window slides.'),
  openMs: durationMs({ min: 1, max: HOUR_MS })
    .default(5_000)
    .describe('How long an open circuit refuses everything before a trial.'),
  trialTimeoutMs: durationMs({ min: 1, max: HOUR_MS })
    .default(10_000)
    .describe('A trial that has not ended by then has failed.'),
};

/** Schema of a circuit in a cluster. */
export const circuitSchema: z.ZodType<CircuitConfig, CircuitOptions> = object(shape);

/** Schema of a circuit breaker that makes calls. */
export const circuitBreakerSchema: z.ZodType<CircuitBreakerConfig, CircuitBreakerOptions> = object({
  ...shape,
  callTimeoutMs: durationMs({ min: 1, max: 24 * HOUR_MS })
    .default(10_000)
    .describe('Time for a call whose own options name none.'),
});
