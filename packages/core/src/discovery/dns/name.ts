import { discoveryError } from '../discovery-error.ts';

/**
 * Domain names in messages (RFC 1035 sections 3.1 and 4.1.4) and as text.
 *
 * The text form is lower case, since names compare without regard to ASCII case (RFC 4343), has no dot at the end, and
 * is '' for the root. A byte that is no letter, digit, `-` or `_` appears as `\DDD`, so that a label with a dot inside
 * cannot pass for two labels.
 */

/** Longest name on the wire, length octets and the root's included (RFC 1035 section 3.1). */
const MAX_WIRE_LENGTH = 255;
/** Longest label; the two bits above tell a label from a pointer (RFC 1035 section 4.1.4). */
const MAX_LABEL_LENGTH = 63;
/**
 * Pointers followed for one name. Each must lead backwards, so that no loop is possible; this limit bounds the work
 * when each of thousands of records leads through a long chain. A sender has no use for more than one per label.
 */
const MAX_POINTERS = 127;

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Where a name ended. */
export interface DecodedName {
  readonly name: string;
  /** Offset of the first byte after the name, where the next field begins. */
  readonly end: number;
}

/**
 * Reads the name at `offset`, following compression pointers.
 * @throws EvenkeelError `EVENKEEL_DISCOVERY` for anything that is not a name
 */
export function decodeName(bytes: Uint8Array, offset: number): DecodedName {
  const labels: string[] = [];
  let wireLength = 1;
  let pointers = 0;
  let end: number | undefined;
  let position = offset;
  // Every pointer must lead before the place where the part of the name it continues began.
  let partStart = offset;
  for (;;) {
    const length = byteAt(bytes, position);
    if (length === 0) return { name: labels.join('.'), end: end ?? position + 1 };
    if (length <= MAX_LABEL_LENGTH) {
      wireLength += length + 1;
      if (wireLength > MAX_WIRE_LENGTH)
        throw discoveryError('malformed answer: a name is too long');
      const labelEnd = position + 1 + length;
      if (labelEnd > bytes.length) throw discoveryError('malformed answer: a label is cut off');
      labels.push(labelText(bytes.subarray(position + 1, labelEnd)));
      position = labelEnd;
      continue;
    }
    if (length < 0xc0) throw discoveryError('malformed answer: a label of unknown type');
    const target = ((length & 0x3f) << 8) | byteAt(bytes, position + 1);
    end ??= position + 2;
    pointers += 1;
    if (target >= partStart || pointers > MAX_POINTERS) {
      throw discoveryError('malformed answer: a compression pointer leads nowhere');
    }
    position = target;
    partStart = target;
  }
}

/** The wire form of a name that {@link normalizeName} returned, without compression. */
export function encodeName(name: string): Uint8Array {
  const labels = name === '' ? [] : name.split('.');
  const bytes = new Uint8Array(labels.reduce((sum, label) => sum + label.length + 1, 1));
  let position = 0;
  for (const label of labels) {
    bytes[position] = label.length;
    for (let index = 0; index < label.length; index += 1) {
      bytes[position + 1 + index] = label.charCodeAt(index);
    }
    position += label.length + 1;
  }
  return bytes;
}

/** Lower case, no dot at the end; undefined when it is no name that can be asked for. Non-ASCII names need punycode. */
export function normalizeName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  return isPlainName(name) ? name : undefined;
}

/** Is a decoded name made of letters, digits, `-` and `_` only, and not the root? Nothing else becomes an endpoint. */
export function isPlainName(name: string): boolean {
  // The wire form is the text with one length octet before and the root's octet behind it.
  return name.length + 2 <= MAX_WIRE_LENGTH && name.split('.').every((label) => LABEL.test(label));
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw discoveryError('malformed answer: a name is cut off');
  return byte;
}

function labelText(label: Uint8Array): string {
  let text = '';
  for (const byte of label) text += BYTE_TEXT[byte] as string;
  return text;
}

/** What each byte looks like in a text. */
const BYTE_TEXT: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte).toLowerCase();
  return byte < 0x80 && /[a-z0-9_-]/.test(character)
    ? character
    : `\\${String(byte).padStart(3, '0')}`;
});
