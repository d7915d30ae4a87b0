/**
 * Classes of bytes in a message head, as tables: one load per byte instead of a chain of comparisons.
 */

function classOf(isMember: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isMember(byte) ? 1 : 0));
}

const TOKEN_SIGNS: ReadonlySet<number> = new Set(Buffer.from("!#$%&'*+-.^_`|~"));

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

/** `tchar`, RFC 9110 section 5.6.2: methods, field names, connection options. */
export const TOKEN: Uint8Array = classOf(
  (byte) => isDigit(byte) || isLetter(byte) || TOKEN_SIGNS.has(byte),
);

/**
 * What a request target may hold: visible ASCII, but no `#`. A fragment is never sent (RFC 9110 section 7.1), and the
 * programs behind a proxy disagree about where the path ends when one is.
 */
export const TARGET: Uint8Array = classOf((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x23);

/** Field values and reason phrases: `field-vchar`, SP and HTAB, RFC 9110 section 5.5; no CR, LF, NUL, DEL. */
export const FIELD_VALUE: Uint8Array = classOf(
  (byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f),
);

/** `uri-host` and port, RFC 3986 section 3.2.2, without user information and percent-encoding. */
export const AUTHORITY: Uint8Array = classOf(
  (byte) => isDigit(byte) || isLetter(byte) || '-._~:[]'.includes(String.fromCharCode(byte)),
);

/** Value of a hexadecimal digit, -1 for all other bytes. */
export const HEX_VALUE: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  if (isDigit(byte)) return byte - 0x30;
  return isLetter(byte) && (byte | 0x20) <= 0x66 ? (byte | 0x20) - 0x57 : -1;
});

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;

/** Do the bytes spell the name, which is in lower case, in whatever case? Only for names of letters, digits and `-`. */
// oxlint-disable-next-line max-params -- a range of bytes, on the hot path
export function spells(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  const { length } = name;
  if (to - from !== length) return false;
  for (let at = 0; at < length; at++) {
    const byte = bytes[from + at] as number;
    const wanted = name[at] as number;
    // Folding `|0x20` first would take CR for `-`; so an exact match, or a letter in upper case.
    if (byte !== wanted && (byte + 0x20 !== wanted || byte < 0x41 || byte > 0x5a)) return false;
  }
  return true;
}

/** Bytes of a text of ASCII. */
export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
