/**
 * Limits of requests per second: a token bucket for one stream of requests, and the same for many keys (clients, users,
 * addresses) with bounded memory.
 *
 * ```ts
 * const limiter = new RateLimiter({ requestsPerSecond: 100, burst: 20 });
 * if (!limiter.tryAcquire(clock.nowMs())) {
 *   response.writeHead(429, { 'retry-after': retryAfterSeconds(limiter.waitMs(clock.nowMs())) });
 * }
 * ```
 */
import type { z } from 'zod';
import { TokenBucket } from '../algorithm/token-bucket.ts';
import { decode } from '../schema/decode.ts';
import { integer, number, object } from '../schema/fields.ts';

/** What a user writes at `rateLimit: {...}`. */
export type RateLimitOptions = {
  readonly [Key in keyof RateLimitConfig]?: RateLimitConfig[Key] | undefined;
} & { readonly requestsPerSecond: number };

/** Checked options of a rate limit. */
export interface RateLimitConfig {
  /** Requests per second in the long run, above 0 to 100,000,000. */
  readonly requestsPerSecond: number;
  /** Requests that may come at once after a pause, 1..100,000,000. Default: those of one second, at least 1. */
  readonly burst: number;
}

const MAX_RATE = 100_000_000;

const loose = object({
  requestsPerSecond: number({ min: 0.000_1, max: MAX_RATE }).describe(
    'Requests per second in the long run.',
  ),
  burst: integer({ min: 1, max: MAX_RATE })
    .optional()
    .describe('Requests that may come at once. Left out: those of one second.'),
});

/** Schema of the option `rateLimit`. */
export const rateLimitSchema: z.ZodType<RateLimitConfig, RateLimitOptions> = loose.transform(
  ({ requestsPerSecond, burst }) => ({
    requestsPerSecond,
    burst: burst ?? Math.max(1, Math.ceil(requestsPerSecond)),
  }),
);

/** One limit for one stream of requests. */
export class RateLimiter {
  readonly config: RateLimitConfig;
  /** Refusals since the start. */
  rejectedCount = 0;
  readonly #bucket: TokenBucket;

  /** @param nowMs when the bucket begins, full @throws ConfigError naming every wrong option */
  constructor(options: RateLimitOptions, nowMs = 0) {
    this.config = decode(rateLimitSchema, options, 'rateLimit');
    this.#bucket = new TokenBucket({
      capacity: this.config.burst,
      refillPerSecond: this.config.requestsPerSecond,
      nowMs,
    });
  }

  /** Admits a request that counts as `cost`, or refuses it and takes nothing. */
  tryAcquire(nowMs: number, cost = 1): boolean {
    const admitted = this.#bucket.tryTake(nowMs, cost);
    if (!admitted) this.rejectedCount++;
    return admitted;
  }

  /** Requests that would be admitted now. */
  remaining(nowMs: number): number {
    return Math.floor(this.#bucket.available(nowMs));
  }

  /** How long until a request of this cost would be admitted: 0 for now, Infinity if it exceeds the burst. */
  waitMs(nowMs: number, cost = 1): number {
    return this.#bucket.waitMs(nowMs, cost);
  }
}
