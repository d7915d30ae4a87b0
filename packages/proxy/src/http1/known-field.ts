/**
 * The fields that a proxy itself reads or writes. They are told apart by the length of the name first, so that most
 * names of a head cost one comparison of a byte or none.
 */
import { ascii, spells } from './byte-class.ts';

/** Numbers of the known fields; 0 stands for all others. */
export const Field = {
  other: 0,
  host: 1,
  connection: 2,
  keepAlive: 3,
  proxyConnection: 4,
  te: 5,
  trailer: 6,
  transferEncoding: 7,
  contentLength: 8,
  upgrade: 9,
  expect: 10,
  via: 11,
  forwarded: 12,
  xForwardedFor: 13,
  xForwardedHost: 14,
  xForwardedProto: 15,
  cookie: 16,
  authorization: 17,
  proxyAuthenticate: 18,
  proxyAuthorization: 19,
  http2Settings: 20,
  retryAfter: 21,
  location: 22,
  setCookie: 23,
  contentType: 24,
  requestId: 25,
  traceparent: 26,
  date: 27,
  server: 28,
  maxForwards: 29,
} as const;

export type Field = (typeof Field)[keyof typeof Field];

/** One more than the largest number. */
export const FIELD_COUNT = 30;

const NAMES: Readonly<Record<Exclude<keyof typeof Field, 'other'>, string>> = {
  host: 'host',
  connection: 'connection',
  keepAlive: 'keep-alive',
  proxyConnection: 'proxy-connection',
  te: 'te',
  trailer: 'trailer',
  transferEncoding: 'transfer-encoding',
  contentLength: 'content-length',
  upgrade: 'upgrade',
  expect: 'expect',
  via: 'via',
  forwarded: 'forwarded',
  xForwardedFor: 'x-forwarded-for',
  xForwardedHost: 'x-forwarded-host',
  xForwardedProto: 'x-forwarded-proto',
  cookie: 'cookie',
  authorization: 'authorization',
  proxyAuthenticate: 'proxy-authenticate',
  proxyAuthorization: 'proxy-authorization',
  http2Settings: 'http2-settings',
  retryAfter: 'retry-after',
  location: 'location',
  setCookie: 'set-cookie',
  contentType: 'content-type',
  requestId: 'x-request-id',
  traceparent: 'traceparent',
  date: 'date',
  server: 'server',
  maxForwards: 'max-forwards',
};

interface Known {
  readonly field: Field;
  readonly name: Uint8Array;
}

/** By length of the name. */
const BY_LENGTH: readonly (readonly Known[])[] = byLength();

function byLength(): Known[][] {
  const table: Known[][] = Array.from({ length: 20 }, () => []);
  for (const [key, name] of Object.entries(NAMES)) {
    table[name.length]?.push({ field: Field[key as keyof typeof Field], name: ascii(name) });
  }
  return table;
}

/** The known field whose name the bytes spell, in any case, or {@link Field.other}. */
export function knownField(bytes: Uint8Array, from: number, to: number): Field {
  const candidates = BY_LENGTH[to - from];
  if (candidates === undefined) return Field.other;
  for (let at = 0; at < candidates.length; at++) {
    const { field, name } = candidates[at] as Known;
    if (spells(bytes, from, to, name)) return field;
  }
  return Field.other;
}

/** Fields that concern one connection only and are never passed on (RFC 9110 section 7.6.1), `host` and framing apart. */
export const HOP_BY_HOP: Uint8Array = Uint8Array.from({ length: FIELD_COUNT }, (_, field) =>
  HOP_FIELDS().has(field) ? 1 : 0,
);

function HOP_FIELDS(): ReadonlySet<number> {
  return new Set([
    Field.connection,
    Field.keepAlive,
    Field.proxyConnection,
    Field.te,
    Field.transferEncoding,
    Field.upgrade,
    Field.proxyAuthenticate,
    Field.proxyAuthorization,
    Field.http2Settings,
  ]);
}
