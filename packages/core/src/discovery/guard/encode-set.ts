/** How a set of endpoints lies on disk. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatAddress } from '../../model/address.ts';
import type { Endpoint, EndpointFields } from '../../model/endpoint.ts';
import type { EndpointSet } from '../../model/endpoint-set.ts';
import { UNKNOWN_LOCALITY } from '../../model/locality.ts';
import { decode } from '../../schema/decode.ts';
import { integer, object, text } from '../../schema/fields.ts';
import { discoveryError } from '../discovery-error.ts';
import { decodeEndpointList } from '../endpoint-list.ts';
import type { SourceIdentity } from '../source-report.ts';

/** A set with what has to be known before it is used. */
export interface StoredSet {
  /** Whose endpoints these are: a file that was led elsewhere must not send traffic elsewhere. */
  readonly identity: SourceIdentity;
  /** Wall clock, milliseconds since 1970: when the registry last confirmed the set. */
  readonly savedMs: number;
  readonly set: EndpointSet;
}

/** First word of the file and version of what follows it. Another version is not read: the registry is asked again. */
const MAGIC = 'evenkeel-last-known-good';
const VERSION = 1;

const documentSchema = object({
  kind: text(64),
  source: text(4_096),
  savedMs: integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  endpoints: z.array(z.unknown()),
});

/** One line with magic, version and the SHA-256 of the rest; then one line of JSON. */
export function encodeStoredSet({ identity, savedMs, set }: StoredSet): string {
  const { kind, source } = identity;
  const endpoints = set.endpoints.map(fieldsOf);
  const body = `${JSON.stringify({ kind, source, savedMs, endpoints })}\n`;
  return `${MAGIC} ${VERSION} ${digestOf(body)}\n${body}`;
}

/**
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` for a foreign, damaged or newer file; ConfigError for endpoints that are
 * none
 */
export function decodeStoredSet(content: string): StoredSet {
  const end = content.indexOf('\n') + 1;
  const [magic, version, digest] = content.slice(0, end).trim().split(' ');
  if (end === 0 || magic !== MAGIC) throw discoveryError(`is no ${MAGIC} file`);
  if (version !== String(VERSION)) {
    throw discoveryError(`has version ${version ?? 'none'}, only ${VERSION} is known`);
  }
  const body = content.slice(end);
  if (digest !== digestOf(body)) throw discoveryError('is damaged: its checksum is wrong');
  const { kind, source, savedMs, endpoints } = decode(documentSchema, JSON.parse(body), '');
  return { identity: { kind, source }, savedMs, set: decodeEndpointList(endpoints, 'endpoints') };
}

function digestOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}

/** What `createEndpoint` makes the same endpoint of; defaults are left out. */
function fieldsOf(endpoint: Endpoint): EndpointFields {
  const { id, weight, priority, locality, metadata, hashKey, hostname } = endpoint;
  const address = formatAddress(endpoint.address);
  return {
    address,
    ...(id === address ? {} : { id }),
    ...(weight === 1 ? {} : { weight }),
    ...(priority === 0 ? {} : { priority }),
    ...(locality === UNKNOWN_LOCALITY ? {} : { locality: knownPartsOf(endpoint) }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    ...(hashKey === address ? {} : { hashKey }),
    ...(hostname === undefined ? {} : { hostname }),
  };
}

/** Parts that are not empty: an empty text is no valid part in a list of endpoints. */
function knownPartsOf({ locality }: Endpoint): Record<string, string> {
  return Object.fromEntries(Object.entries(locality).filter(([, part]) => part !== ''));
}
