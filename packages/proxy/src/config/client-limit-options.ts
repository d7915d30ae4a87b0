/** What users write about what one client may have of a listener. */
import { integer, object } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { AddressLimitOptions } from '../listener/address-limits.ts';

/** By the address of the peer; an IPv6 client counts by its /64. Connections beyond a limit are reset. */
export interface ClientLimitOptions {
  /** Connections at a time. 1..1,000,000, default any number. */
  readonly maxConnections?: number | undefined;
  /** New connections per second, in the long run. 0.01..1,000,000, default any number. */
  readonly connectionsPerSecond?: number | undefined;
  /** New connections at once, after a pause. 1..1,000,000, default those of two seconds, at least 1. */
  readonly burst?: number | undefined;
}

const SECONDS_OF_BURST = 2;

export const clientLimitSchema: z.ZodType<AddressLimitOptions, ClientLimitOptions> = object({
  maxConnections: integer({ min: 1, max: 1_000_000 })
    .optional()
    .describe('Connections at a time. Left out: any number.'),
  connectionsPerSecond: z
    .number({ error: 'a number from 0.01 to 1000000' })
    .min(0.01, { error: 'a number from 0.01 to 1000000' })
    .max(1_000_000, { error: 'a number from 0.01 to 1000000' })
    .optional()
    .describe('New connections per second, in the long run. Left out: any number.'),
  burst: integer({ min: 1, max: 1_000_000 })
    .optional()
    .describe('New connections at once. Left out: those of two seconds.'),
})
  .refine(
    ({ maxConnections, connectionsPerSecond }) =>
      maxConnections !== undefined || connectionsPerSecond !== undefined,
    { error: 'maxConnections, connectionsPerSecond, or both' },
  )
  .refine(
    ({ burst, connectionsPerSecond }) => burst === undefined || connectionsPerSecond !== undefined,
    { error: 'nothing, where there is no connectionsPerSecond', path: ['burst'] },
  )
  .transform(({ maxConnections, connectionsPerSecond, burst }) => ({
    maxConnections,
    connectionsPerSecond,
    burst: burst ?? Math.max(1, Math.ceil((connectionsPerSecond ?? 0) * SECONDS_OF_BURST)),
  }));
