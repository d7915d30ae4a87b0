/** Options of the filter `ipAccess`. */
import { integer, object, oneOf } from '@evenkeel/core/schema';
import type { z } from 'zod';
import { isNetwork, networkKey } from '../../address/cidr-set.ts';
import { networks } from '../shared/fields.ts';

/**
 * Who gets in by address. The smallest network that the address is in decides; for an address in none of them: refused
 * when `allow` is there, else let in.
 */
export interface IpAccessOptions {
  /** `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`. */
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  /** The client that trusted proxies name, or the peer of the connection. Default `client`. */
  readonly by?: 'client' | 'peer' | undefined;
  /** Of refusals. 400..599, default 403. */
  readonly status?: number | undefined;
}

export interface IpAccessConfig {
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[];
  readonly by: 'client' | 'peer';
  readonly status: number;
}

export const ipAccessSchema: z.ZodType<IpAccessConfig, IpAccessOptions> = object({
  allow: networks.optional().describe('`10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`.'),
  deny: networks.default([]).describe('Networks that do not get in.'),
  by: oneOf(['client', 'peer'])
    .default('client')
    .describe('The client that trusted proxies name, or the peer of the connection.'),
  status: integer({ min: 400, max: 599 }).default(403).describe('Of refusals.'),
})
  .refine(({ allow, deny }) => allow !== undefined || deny.length > 0, {
    error: 'at least one of allow and deny',
  })
  .superRefine(({ allow = [], deny }, context) => {
    // What is no network was told of already.
    const allowed = new Set(allow.filter(isNetwork).map(networkKey));
    for (const [at, network] of deny.entries()) {
      if (!isNetwork(network) || !allowed.has(networkKey(network))) continue;
      context.addIssue({
        code: 'custom',
        path: ['deny', at],
        message: 'a network that is not in allow, too',
      });
    }
  }) as z.ZodType<IpAccessConfig, IpAccessOptions>;
