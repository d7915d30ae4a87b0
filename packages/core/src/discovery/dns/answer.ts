import { discoveryError } from '../discovery-error.ts';
import type { Question } from './accept.ts';
import { type DnsMessage, type DnsRecord, ResponseCode } from './message.ts';
import { type RecordData, RecordType } from './record-data.ts';

/** What a message means for one question. */
export type Answer =
  | {
      readonly kind: 'records';
      readonly records: readonly DnsRecord[];
      readonly ttlSeconds: number;
    }
  /** A CNAME chain that leaves this message: ask for its end. */
  | { readonly kind: 'alias'; readonly target: string; readonly ttlSeconds: number }
  /** The name does not exist (NXDOMAIN), or has no record of this type (NODATA). */
  | EmptyAnswer;

export interface EmptyAnswer {
  readonly kind: 'empty';
  readonly reason: 'NXDOMAIN' | 'NODATA';
  /** How long that holds, if the answer says. */
  readonly ttlSeconds: number | undefined;
}

/** Aliases followed for one question, within one message and across several. */
export const MAX_ALIASES = 8;

/**
 * Reads the answer to a question, from the name that was asked along its CNAME records (RFC 1034 section 3.6.2). Records of
 * names that do not lie on this way are passed over: nobody asked for them.
 *
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` for a chain that is too long or runs in a circle
 */
export function readAnswer(message: DnsMessage, { name, type }: Question): Answer {
  let owner = name;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases += 1) {
    const records = message.answers.filter(
      (record) => record.name === owner && hasType(record.data, type),
    );
    if (records.length > 0) {
      for (const record of records) ttlSeconds = Math.min(ttlSeconds, record.ttlSeconds);
      return { kind: 'records', records, ttlSeconds };
    }
    const alias = message.answers.find(
      (record) => record.name === owner && record.data.type === 'alias',
    );
    if (alias?.data.type !== 'alias') return readEnd(message, { owner, name, ttlSeconds });
    ttlSeconds = Math.min(ttlSeconds, alias.ttlSeconds);
    owner = alias.data.target;
  }
  throw discoveryError(`${name}: more than ${MAX_ALIASES} aliases`);
}

interface ChainEnd {
  readonly owner: string;
  readonly name: string;
  readonly ttlSeconds: number;
}

function readEnd(message: DnsMessage, { owner, name, ttlSeconds }: ChainEnd): Answer {
  const negativeTtlSeconds = negativeTtlOf(message);
  if (message.responseCode === ResponseCode.nameError) {
    return { kind: 'empty', reason: 'NXDOMAIN', ttlSeconds: negativeTtlSeconds };
  }
  // RFC 2308 section 2.2: with an SOA record the end of the chain was looked up and has no data.
  if (owner !== name && negativeTtlSeconds === undefined) {
    return { kind: 'alias', target: owner, ttlSeconds };
  }
  return { kind: 'empty', reason: 'NODATA', ttlSeconds: negativeTtlSeconds };
}

/** RFC 2308 section 5: the lesser of the SOA record's own TTL and its MINIMUM field. */
function negativeTtlOf({ authorities }: DnsMessage): number | undefined {
  for (const { data, ttlSeconds } of authorities) {
    if (data.type === 'authority') return Math.min(ttlSeconds, data.minimumTtlSeconds);
  }
  return undefined;
}

/** Is this the data that was asked for? */
export function hasType(data: RecordData, type: RecordType): boolean {
  switch (type) {
    case RecordType.a:
      return data.type === 'address' && data.family === 4;
    case RecordType.aaaa:
      return data.type === 'address' && data.family === 6;
    case RecordType.srv:
      return data.type === 'service';
  }
}
