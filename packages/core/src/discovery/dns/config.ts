import { isIP } from 'node:net';
import { z } from 'zod';
import { durationMs, integer, object, oneOf, text } from '../../schema/fields.ts';
import { normalizeName } from './name.ts';
import { type DnsServer, parseServer } from './server.ts';

/** Which addresses of a host name are used. */
export type AddressFamily = 'any' | 'ipv4' | 'ipv6';

/** What a user passes to `dns()`: either `name` with `port`, or `srv`. */
export interface DnsOptions {
  /** A host name, complete as it stands: search domains and `/etc/hosts` are not used. Or an IP address. */
  readonly name?: string | undefined;
  /** Port of the endpoints found under `name`, 1..65,535. */
  readonly port?: number | undefined;
  /** A service name (RFC 2782), `_http._tcp.users.internal`: ports, priorities and weights come from its records. */
  readonly srv?: string | undefined;
  /** Name servers as `address` or `address:port`, 1..16. Default: those of the system. */
  readonly servers?: readonly string[] | undefined;
  /** Default `any`: IPv4 and IPv6 addresses. */
  readonly family?: AddressFamily | undefined;
  /** Least time between two looks, whatever the TTL, 100 ms..1 h. Default 1,000. */
  readonly minRefreshMs?: number | undefined;
  /** Longest time between two looks, whatever the TTL, 1 s..24 h. Default 60,000. */
  readonly maxRefreshMs?: number | undefined;
  /** Total time for one look with all its queries, 100 ms..60 s. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** How long one server has for one answer, 50 ms..60 s. Default 1,000. */
  readonly tryTimeoutMs?: number | undefined;
  /** What an answer without endpoints does (NXDOMAIN, no records): `keep` the last good set, the default, or `clear` it. */
  readonly onEmpty?: 'keep' | 'clear' | undefined;
}

/** What is looked for. */
export type DnsTarget =
  | { readonly kind: 'host'; readonly name: string; readonly port: number }
  | { readonly kind: 'service'; readonly name: string }
  /** An IP address in the place of a name: nothing to ask. */
  | { readonly kind: 'literal'; readonly address: string; readonly port: number };

/** Options with the defaults filled in. */
export interface DnsConfig {
  readonly target: DnsTarget;
  /** undefined: the system's, read anew for every query. */
  readonly servers: readonly DnsServer[] | undefined;
  readonly families: readonly (4 | 6)[];
  readonly minRefreshMs: number;
  readonly maxRefreshMs: number;
  readonly timeoutMs: number;
  readonly tryTimeoutMs: number;
  readonly onEmpty: 'keep' | 'clear';
}

const DEFAULT_MIN_REFRESH_MS = 1_000;
const DEFAULT_MAX_REFRESH_MS = 60_000;

const server = text(64).refine((value) => parseServer(value) !== undefined, {
  error: "an IP address with or without a port: '10.0.0.2', '10.0.0.2:5353', '[::1]:5353'",
});

/** The data form: `{ dns: { name, port, ... } }`. */
export const dnsSchema: z.ZodType<DnsOptions> = object({
  name: text(255)
    .refine((value) => isIP(value) !== 0 || normalizeName(value) !== undefined, {
      error: 'a host name (non-ASCII names in punycode) or an IP address',
    })
    .optional()
    .describe('A host name, complete as it stands, or an IP address; with `port`.'),
  port: integer({ min: 1, max: 65_535 })
    .optional()
    .describe('Port of the endpoints found under `name`.'),
  srv: text(255)
    .refine((value) => normalizeName(value) !== undefined, {
      error: "a service name such as '_http._tcp.users.internal'",
    })
    .optional()
    .describe('A service name (RFC 2782): its records have ports, priorities and weights.'),
  servers: z
    .array(server, { error: 'a list of name servers' })
    .min(1, { error: 'at least one name server, or no list at all for those of the system' })
    .max(16, { error: 'at most 16 name servers' })
    .optional()
    .describe("Name servers, each an address with or without a port. Left out: the system's."),
  family: oneOf(['any', 'ipv4', 'ipv6'])
    .optional()
    .meta({ description: 'Which addresses of a host name are used.', default: 'any' }),
  minRefreshMs: durationMs({ min: 100, max: 3_600_000 }).optional().meta({
    description: 'Least time between two looks, whatever the TTL.',
    default: DEFAULT_MIN_REFRESH_MS,
  }),
  maxRefreshMs: durationMs({ min: 1_000, max: 86_400_000 }).optional().meta({
    description: 'Longest time between two looks, whatever the TTL.',
    default: DEFAULT_MAX_REFRESH_MS,
  }),
  timeoutMs: durationMs({ min: 100, max: 60_000 })
    .optional()
    .meta({ description: 'Time for one look with all its queries.', default: 5_000 }),
  tryTimeoutMs: durationMs({ min: 50, max: 60_000 })
    .optional()
    .meta({ description: 'How long one server has for one answer.', default: 1_000 }),
  onEmpty: oneOf(['keep', 'clear']).optional().meta({
    description: 'What an answer without endpoints does to the last good set.',
    default: 'keep',
  }),
})
  .refine(({ name, srv }) => (name === undefined) !== (srv === undefined), {
    error: "exactly one of 'name' (with 'port') or 'srv'",
    when: hasNoIssue,
  })
  .refine(({ name, port }) => (name === undefined) === (port === undefined), {
    path: ['port'],
    error: "a port beside 'name', and none beside 'srv', whose records have ports",
    when: hasNoIssue,
  })
  .refine(
    ({ minRefreshMs, maxRefreshMs }) => {
      return (minRefreshMs ?? DEFAULT_MIN_REFRESH_MS) <= (maxRefreshMs ?? DEFAULT_MAX_REFRESH_MS);
    },
    {
      path: ['maxRefreshMs'],
      error: 'a duration not below minRefreshMs',
      when: hasNoIssue,
    },
  );

function hasNoIssue({ issues }: { readonly issues: readonly unknown[] }): boolean {
  return issues.length === 0;
}

/** Fills in the defaults of checked options. */
export function completeDnsOptions(options: DnsOptions): DnsConfig {
  return {
    target: targetOf(options),
    servers: options.servers?.map(parseServer).filter((parsed) => parsed !== undefined),
    families: familiesOf(options.family ?? 'any'),
    minRefreshMs: options.minRefreshMs ?? DEFAULT_MIN_REFRESH_MS,
    maxRefreshMs: options.maxRefreshMs ?? DEFAULT_MAX_REFRESH_MS,
    timeoutMs: options.timeoutMs ?? 5_000,
    tryTimeoutMs: options.tryTimeoutMs ?? 1_000,
    onEmpty: options.onEmpty ?? 'keep',
  };
}

function targetOf({ name = '', port = 0, srv }: DnsOptions): DnsTarget {
  if (srv !== undefined) return { kind: 'service', name: normalizeName(srv) ?? '' };
  if (isIP(name) !== 0) return { kind: 'literal', address: name, port };
  return { kind: 'host', name: normalizeName(name) ?? '', port };
}

function familiesOf(family: AddressFamily): readonly (4 | 6)[] {
  switch (family) {
    case 'any':
      return [4, 6];
    case 'ipv4':
      return [4];
    case 'ipv6':
      return [6];
  }
}
