/**
 * What can be said of a field by looking at it alone (RFC 9113 section 8.2): which one it is, and whether it is allowed.
 * It is said once, when the field is read from the wire; a field that comes out of a table brings it along.
 */
import {
  ascii,
  AUTHORITY,
  FIELD_VALUE,
  HTAB,
  SP,
  spells,
  TARGET,
  TOKEN,
} from '../../http1/byte-class.ts';
import { Field, knownField } from '../../http1/known-field.ts';
import { Pseudo } from '../http2-stream.ts';

/** The low bits are the number of a known field, or of a pseudo-field. */
export const KIND_MASK = 0xff;
export const IS_PSEUDO = 0x100;
export const BAD_NAME = 0x200;
export const BAD_VALUE = 0x400;
/** The message that holds such a field is malformed. */
export const IS_BAD: number = BAD_NAME | BAD_VALUE;

const COLON = 0x3a;
const TRAILERS = ascii('trailers');

/** `tchar` without letters in upper case. */
const NAME: Uint8Array = TOKEN.map((is, byte) => (byte >= 0x41 && byte <= 0x5a ? 0 : is));

/** `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`, RFC 3986 section 3.1, roughly. */
const SCHEME: Uint8Array = TOKEN.map((is, byte) =>
  is === 1 && /[a-z0-9+.-]/iu.test(String.fromCharCode(byte)) ? 1 : 0,
);
const DIGIT: Uint8Array = TOKEN.map((_, byte) => (byte >= 0x30 && byte <= 0x39 ? 1 : 0));

/** By number of the pseudo-field: its name, and the bytes that its value is made of. */
const PSEUDO_NAMES: readonly Uint8Array[] = byNumber({
  method: ascii(':method'),
  scheme: ascii(':scheme'),
  authority: ascii(':authority'),
  path: ascii(':path'),
  status: ascii(':status'),
  protocol: ascii(':protocol'),
});
const PSEUDO_VALUES: readonly Uint8Array[] = byNumber({
  method: TOKEN,
  scheme: SCHEME,
  authority: AUTHORITY,
  path: TARGET,
  status: DIGIT,
  protocol: TOKEN,
});

function byNumber(values: Readonly<Record<keyof typeof Pseudo, Uint8Array>>): Uint8Array[] {
  const table: Uint8Array[] = [];
  for (const [name, number] of Object.entries(Pseudo))
    table[number] = values[name as keyof typeof Pseudo];
  return table;
}

/** Fields of one connection, which HTTP/2 has no use for: RFC 9113 section 8.2.2. */
const FORBIDDEN: ReadonlySet<number> = new Set([
  Field.connection,
  Field.keepAlive,
  Field.proxyConnection,
  Field.transferEncoding,
  Field.upgrade,
]);

/** Traits of a name. */
export function nameTraits(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] === COLON) return pseudoTraits(bytes, from, to);
  if (from === to) return BAD_NAME;
  for (let at = from; at < to; at++) if (NAME[bytes[at] as number] === 0) return BAD_NAME;
  const field = knownField(bytes, from, to);
  return FORBIDDEN.has(field) ? field | BAD_NAME : field;
}

function pseudoTraits(bytes: Uint8Array, from: number, to: number): number {
  for (let number = 0; number < PSEUDO_NAMES.length; number++)
    if (isSame(bytes, from, to, PSEUDO_NAMES[number] as Uint8Array)) return IS_PSEUDO | number;
  return IS_PSEUDO | BAD_NAME;
}

// oxlint-disable-next-line max-params -- a range of bytes
function isSame(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text[at]) return false;
  return true;
}

/** Adds the traits of the value to those of the name. */
// oxlint-disable-next-line max-params -- per field: an object would be allocated
export function withValueTraits(
  traits: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  const isPseudo = (traits & IS_PSEUDO) !== 0;
  const allowed = isPseudo ? (PSEUDO_VALUES[traits & KIND_MASK] ?? FIELD_VALUE) : FIELD_VALUE;
  for (let at = from; at < to; at++)
    if (allowed[bytes[at] as number] === 0) return traits | BAD_VALUE;
  if (from === to) return isPseudo ? traits | BAD_VALUE : traits;
  const first = bytes[from];
  const last = bytes[to - 1];
  if (first === SP || first === HTAB || last === SP || last === HTAB) return traits | BAD_VALUE;
  // A hop that is not chunked can promise nothing but trailers.
  if ((traits & KIND_MASK) === Field.te && !isPseudo && !spells(bytes, from, to, TRAILERS))
    return traits | BAD_VALUE;
  return traits;
}
