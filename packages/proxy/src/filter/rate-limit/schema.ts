/** Options of the filter `rateLimit`. */
import { flag, integer, number, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import { networks } from '../shared/fields.ts';
import { type KeyPart, keyParts } from '../shared/request-key.ts';

/** How many requests go in: a token bucket for each key, local to this process. */
export interface RateLimitFilterOptions {
  /** In the long run, for each key. 0.0001..100,000,000. */
  readonly requestsPerSecond: number;
  /** Requests that may come at once after a pause. Default: those of one second, at least 1. */
  readonly burst?: number | undefined;
  /** What is counted by; several parts make one key; `[]` counts all requests together. Default `['client']`. */
  readonly key?: readonly KeyPart[] | undefined;
  /** Of a request without the header, cookie or parameter of the key. Default `shared`: they count as one client. */
  readonly missingKey?: 'shared' | 'skip' | undefined;
  /** Keys that are kept at most, 2..16,000,000, default 100,000; each takes about 200 bytes. */
  readonly maxKeys?: number | undefined;
  /** Clients that are not counted. */
  readonly exempt?: readonly string[] | undefined;
  /** How long a prefix counts as one client with IPv4. 8..32, default 32. */
  readonly ipv4PrefixBits?: number | undefined;
  /** The same with IPv6. 16..128, default 64: a host has at least so many addresses. */
  readonly ipv6PrefixBits?: number | undefined;
  /** Name of the limit in the fields. Default `default`. */
  readonly name?: string | undefined;
  /** Are clients told how they stand, in `ratelimit` and `ratelimit-policy`? Default true. */
  readonly headers?: boolean | undefined;
  /** Counts and logs, but lets everybody in. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Of refusals. 400..599, default 429. */
  readonly status?: number | undefined;
}

export interface RateLimitFilterConfig {
  readonly requestsPerSecond: number;
  readonly burst: number | undefined;
  readonly key: readonly KeyPart[];
  readonly missingKey: 'shared' | 'skip';
  readonly maxKeys: number;
  readonly exempt: readonly string[];
  readonly ipv4PrefixBits: number;
  readonly ipv6PrefixBits: number;
  readonly name: string;
  readonly headers: boolean;
  readonly dryRun: boolean;
  readonly status: number;
}

const MAX_RATE = 100_000_000;

/** RFC 9651 section 3.3.3: a string that needs no escapes. */
const NAME = /^[ !#-[\]-~]+$/;

export const rateLimitFilterSchema: z.ZodType<RateLimitFilterConfig, RateLimitFilterOptions> =
  object({
    requestsPerSecond: number({ min: 0.000_1, max: MAX_RATE }).describe(
      'In the long run, for each key.',
    ),
    burst: integer({ min: 1, max: MAX_RATE })
      .optional()
      .describe('Requests that may come at once after a pause.'),
    key: keyParts
      .default(['client'])
      .describe(
        'What is counted by; several parts make one key; `[]` counts all requests together.',
      ),
    missingKey: z
      .enum(['shared', 'skip'], { error: 'shared or skip' })
      .default('shared')
      .describe('Of a request without the header, cookie or parameter of the key.'),
    maxKeys: integer({ min: 2, max: 16_000_000 })
      .default(100_000)
      .describe(
        'Keys that are kept at most, 2..16,000,000, default 100,000; each takes about 200 bytes.',
      ),
    exempt: networks.default([]).describe('Clients that are not counted.'),
    ipv4PrefixBits: integer({ min: 8, max: 32 })
      .default(32)
      .describe('How long a prefix counts as one client with IPv4.'),
    ipv6PrefixBits: integer({ min: 16, max: 128 }).default(64).describe('The same with IPv6.'),
    name: text(64)
      .regex(NAME, { error: 'printable ASCII without " and \\' })
      .default('default')
      .describe('Name of the limit in the fields.'),
    headers: flag()
      .default(true)
      .describe('Are clients told how they stand, in `ratelimit` and `ratelimit-policy`?'),
    dryRun: flag().default(false).describe('Counts and logs, but lets everybody in.'),
    status: integer({ min: 400, max: 599 }).default(429).describe('Of refusals.'),
  }) as z.ZodType<RateLimitFilterConfig, RateLimitFilterOptions>;
