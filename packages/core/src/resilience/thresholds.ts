/**
 * Fixed upper limits of what one client has open towards one cluster. They are the last line: when discovery, health,
 * timeouts and budgets all fail to help, the process still does not drown in its own waiting requests. Names and
 * default numbers are those of Envoy's circuit breakers.
 */
import type { z } from 'zod';
import { decode } from '../schema/decode.ts';
import { integer, object } from '../schema/fields.ts';

/** What a user writes at `thresholds: {...}`. */
export type ThresholdOptions = {
  readonly [Key in keyof ThresholdConfig]?: ThresholdConfig[Key] | undefined;
};

/** Checked options; each 0..1,000,000,000, where 0 admits none. */
export interface ThresholdConfig {
  /** Open connections. Default 1,024. */
  readonly connections: number;
  /** Requests that wait for a connection. Default 1,024. */
  readonly pending: number;
  /** Requests in flight, those that wait included. Default 1,024. */
  readonly requests: number;
  /**
   * Retries and hedges in flight. Default 3. A budget (`RetryBudget`) grows with the traffic and is the better limit;
   * raise this one when it refuses what the budget allows.
   */
  readonly retries: number;
}

const MAX = 1_000_000_000;

/** Schema of the option `thresholds`. */
export const thresholdSchema: z.ZodType<ThresholdConfig, ThresholdOptions> = object({
  connections: integer({ min: 0, max: MAX }).default(1_024).describe('Open connections.'),
  pending: integer({ min: 0, max: MAX })
    .default(1_024)
    .describe('Requests that wait for a connection.'),
  requests: integer({ min: 0, max: MAX }).default(1_024).describe('Requests in flight.'),
  retries: integer({ min: 0, max: MAX }).default(3).describe('Retries and hedges in flight.'),
});

/** The four counters of one cluster. */
export class Thresholds {
  readonly connections: Threshold;
  readonly pending: Threshold;
  readonly requests: Threshold;
  readonly retries: Threshold;

  /** @throws ConfigError naming the option, its range and the value found */
  constructor(options: ThresholdOptions = {}) {
    const config = decode(thresholdSchema, options, 'thresholds');
    this.connections = new Threshold(config.connections);
    this.pending = new Threshold(config.pending);
    this.requests = new Threshold(config.requests);
    this.retries = new Threshold(config.retries);
  }

  /** Sets new limits, the default for what is left out. What is above them stays until it is released. @throws ConfigError, and changes nothing then */
  configure(options: ThresholdOptions): void {
    const config = decode(thresholdSchema, options, 'thresholds');
    this.connections.limit = config.connections;
    this.pending.limit = config.pending;
    this.requests.limit = config.requests;
    this.retries.limit = config.retries;
  }
}

/** Counts what is open and refuses what would be one too many. Exact: one thread, no estimate. */
export class Threshold {
  limit: number;
  /** Refusals since the start. */
  rejectedCount = 0;
  /** Releases of what was never acquired: a fault in the caller, 0 when all is well. */
  surplusReleaseCount = 0;
  #active = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Open now. Never below 0, and above {@link limit} only after the limit was lowered. */
  get active(): number {
    return this.#active;
  }

  /** How many more would be admitted. */
  get remaining(): number {
    return Math.max(0, this.limit - this.#active);
  }

  /** Admits one, to be released exactly once, or none. */
  tryAcquire(): boolean {
    if (this.#active >= this.limit) {
      this.rejectedCount++;
      return false;
    }
    this.#active++;
    return true;
  }

  release(): void {
    if (this.#active > 0) this.#active--;
    else this.surplusReleaseCount++;
  }
}
