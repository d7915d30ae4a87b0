/** How a list of endpoints that a person or a program wrote becomes an endpoint set: one way for code and files. */
import { z } from 'zod';
import { ConfigError, type ConfigIssue, configError } from '../error/config-error.ts';
import { createEndpoint, type Endpoint, type EndpointFields } from '../model/endpoint.ts';
import { MAX_PRIORITY, MAX_WEIGHT } from '../model/endpoint.ts';
import { createEndpointSet, type EndpointSet, MAX_ENDPOINTS } from '../model/endpoint-set.ts';
import { decode } from '../schema/decode.ts';
import { flag, integer, object, text } from '../schema/fields.ts';

/** Longest value of a metadata label, in characters. */
const MAX_LABEL_LENGTH = 4_096;
/** Issues named in one error: enough to mend a file with, few enough to read. */
const MAX_ISSUES = 10;
/** Keys of an entry that are looked at one by one; there are twelve. */
const MAX_KEYS = 64;

const locality = object({
  region: text(256).optional().describe('Largest part: a data centre region.'),
  zone: text(256).optional().describe('Part of a region that fails as one.'),
  subzone: text(256).optional().describe('Part of a zone, such as a rack.'),
}).meta({
  title: 'Locality',
  description: 'Where an endpoint stands. Parts left out are unknown.',
});

/** An endpoint as written: `host:port`, or its fields. `createEndpoint` checks what needs more than a range. */
export const endpointSchema: z.ZodType<string | EndpointFields> = z.union(
  [
    text(512),
    object({
      address: text(512)
        .optional()
        .describe(
          '`host:port`, `[ipv6]:port` or `unix:/path`. Or give `host` and `port`, or `unix`.',
        ),
      host: text(256).optional().describe('IP address or host name, with `port`.'),
      port: integer({ min: 1, max: 65_535 }).optional().describe('Port of `host`.'),
      unix: text(256).optional().describe('Path of a Unix socket, at most 107 bytes.'),
      id: text(512).optional().describe('Stable identity. Left out: the address.'),
      weight: integer({ min: 0, max: MAX_WEIGHT })
        .optional()
        .meta({ description: 'Relative share of the traffic; 0 takes none.', default: 1 }),
      priority: integer({ min: 0, max: MAX_PRIORITY })
        .optional()
        .meta({ description: '0 is preferred.', default: 0 }),
      // The parser never adds a key with `undefined`, which is all that Partial<Locality> would mind.
      locality: (locality as z.ZodType<NonNullable<EndpointFields['locality']>>).optional(),
      metadata: z
        .record(
          text(256),
          z.string({ error: 'a text' }).max(MAX_LABEL_LENGTH, { error: 'a shorter text' }),
          {
            error: 'labels: texts by name',
          },
        )
        .optional()
        .describe('Free labels, matched by subsets.'),
      hashKey: text(512)
        .optional()
        .describe('What hash policies place on their tables. Left out: the address.'),
      hostname: text(256)
        .optional()
        .describe('Server name for TLS and checks where the address is an IP.'),
      degraded: flag()
        .optional()
        .meta({ description: 'To be spared while the healthy ones can take all.', default: false }),
    }).meta({ title: 'Endpoint', description: 'One address that can serve.' }),
  ],
  { error: "an endpoint: 'host:port', or an object with address, host and port, or unix" },
);

/**
 * Checks a list of endpoints and makes a set of it.
 *
 * @param path where the list stands, for the errors: `endpoints`
 * @throws ConfigError with up to ten issues: an unknown key, a value out of range, an identity used twice, too many
 */
export function decodeEndpointList(raw: readonly unknown[], path: string): EndpointSet {
  if (raw.length > MAX_ENDPOINTS) {
    throw configError(path, `at most ${MAX_ENDPOINTS} endpoints`, raw.length);
  }
  const issues: ConfigIssue[] = [];
  const endpoints: Endpoint[] = [];
  const positions = new Map<string, number>();
  for (const [index, item] of raw.entries()) {
    try {
      const endpoint = decodeEndpoint(item, `${path}[${index}]`);
      assertNewIdentity({ endpoint, index, positions, path });
      endpoints.push(endpoint);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
      if (issues.length >= MAX_ISSUES) break;
    }
  }
  if (issues.length > 0) throw new ConfigError(issues.slice(0, MAX_ISSUES));
  return createEndpointSet(endpoints);
}

function decodeEndpoint(raw: unknown, path: string): Endpoint {
  if (typeof raw === 'object' && raw !== null && Object.keys(raw).length > MAX_KEYS) {
    throw configError(path, `an endpoint with at most ${MAX_KEYS} keys`, Object.keys(raw).length);
  }
  return createEndpoint(decode(endpointSchema, raw, path), path);
}

interface Placed {
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly positions: Map<string, number>;
  readonly path: string;
}

/**
 * Two entries with one identity are a mistake in the list, and which of them was meant cannot be known: taking either
 * would route by a guess, so the list is refused.
 */
function assertNewIdentity({ endpoint, index, positions, path }: Placed): void {
  const first = positions.get(endpoint.id);
  if (first !== undefined) {
    throw configError(
      `${path}[${index}]`,
      `an id not used before (see ${path}[${first}])`,
      endpoint.id,
    );
  }
  positions.set(endpoint.id, index);
}
