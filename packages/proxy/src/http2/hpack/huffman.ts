/** Huffman coded strings, RFC 7541 section 5.2. */
import {
  BY_CODE,
  CODE,
  CODE_BITS,
  CODE_COUNT,
  EOS,
  FIRST_CODE,
  FIRST_SYMBOL,
  MAX_CODE_BITS,
} from './huffman-code.ts';

/** Codes of up to so many bits, nearly all that occur, are found with one look. */
const LOOK_BITS = 8;
/** By the next 8 bits: `symbol << 4 | length`, or 0 when the code is longer. */
const LOOK: Uint16Array = lookTable();
const SHORTEST_LONG = 10;

function lookTable(): Uint16Array {
  const table = new Uint16Array(1 << LOOK_BITS);
  for (let symbol = 0; symbol < EOS; symbol++) {
    const bits = CODE_BITS[symbol] as number;
    if (bits > LOOK_BITS) continue;
    const first = (CODE[symbol] as number) << (LOOK_BITS - bits);
    table.fill((symbol << 4) | bits, first, first + (1 << (LOOK_BITS - bits)));
  }
  return table;
}

/** Most bytes that so many coded ones can become: the shortest code has 5 bits. */
export function maxDecodedLength(codedLength: number): number {
  return Math.floor((codedLength * 8) / 5);
}

/**
 * Decodes from `from` to `to` of `source` to `target`, which has room.
 *
 * @returns where the text ends in `target`, or -1 for a code that is not complete, holds EOS, or is padded with anything
 *   but up to 7 ones
 */
// oxlint-disable-next-line max-params -- a range of bytes and its place, on the hot path
export function decodeHuffman(
  source: Uint8Array,
  from: number,
  to: number,
  target: { readonly bytes: Uint8Array; readonly tail: number },
): number {
  const { bytes } = target;
  let place = target.tail;
  let at = from;
  // The low `held` bits of `pending` are still to be decoded; never more than 30.
  let pending = 0;
  let held = 0;
  for (;;) {
    while (held <= 16 && at < to) {
      pending = (pending << 8) | (source[at++] as number);
      held += 8;
    }
    if (held < LOOK_BITS) break;
    let found = 0;
    do {
      found = LOOK[(pending >>> (held - LOOK_BITS)) & 0xff] as number;
      if (found === 0) break;
      bytes[place++] = found >>> 4;
      held -= found & 15;
    } while (held >= LOOK_BITS);
    if (found !== 0) continue;
    // A long code, bit by bit: rare.
    let code = (pending >>> (held - LOOK_BITS)) & 0xff;
    let length = LOOK_BITS;
    held -= LOOK_BITS;
    let symbol = -1;
    while (length < MAX_CODE_BITS && symbol === -1) {
      if (held === 0) {
        if (at === to) return -1;
        pending = source[at++] as number;
        held = 8;
      }
      code = (code << 1) | ((pending >>> --held) & 1);
      length++;
      const offset = code - (FIRST_CODE[length] as number);
      if (length >= SHORTEST_LONG && offset >= 0 && offset < (CODE_COUNT[length] as number))
        symbol = BY_CODE[(FIRST_SYMBOL[length] as number) + offset] as number;
    }
    if (symbol === -1 || symbol === EOS) return -1;
    bytes[place++] = symbol;
  }
  // Fewer than 8 bits: a short code or padding, or one and then the other.
  while (held > 0) {
    const ones = (1 << (LOOK_BITS - held)) - 1;
    const found = LOOK[((pending << (LOOK_BITS - held)) & 0xff) | ones] as number;
    const bits = found & 15;
    if (found === 0 || bits > held) {
      const rest = (1 << held) - 1;
      return (pending & rest) === rest ? place : -1;
    }
    bytes[place++] = found >>> 4;
    held -= bits;
  }
  return place;
}

/** Bytes that a text takes when it is coded. */
export function codedLength(source: Uint8Array, from: number, to: number): number {
  let bits = 0;
  for (let at = from; at < to; at++) bits += CODE_BITS[source[at] as number] as number;
  return (bits + 7) >>> 3;
}

/** Codes from `from` to `to` of `source` to `target`, which has room for {@link codedLength}. @returns where it ends */
// oxlint-disable-next-line max-params -- a range of bytes and its place, on the hot path
export function encodeHuffman(
  source: Uint8Array,
  from: number,
  to: number,
  target: { readonly bytes: Uint8Array; readonly tail: number },
): number {
  const { bytes } = target;
  let place = target.tail;
  // Fewer than 16 bits wait, so that up to 16 more fit in 32; the few longer codes are added in two parts.
  let pending = 0;
  let held = 0;
  for (let at = from; at < to; at++) {
    const symbol = source[at] as number;
    let code = CODE[symbol] as number;
    let bits = CODE_BITS[symbol] as number;
    if (bits > 16) {
      pending = (pending << (bits - 16)) | (code >>> 16);
      held += bits - 16;
      if (held >= 16) {
        held -= 16;
        bytes[place++] = pending >>> (held + 8);
        bytes[place++] = pending >>> held;
      }
      code &= 0xffff;
      bits = 16;
    }
    pending = (pending << bits) | code;
    held += bits;
    if (held < 16) continue;
    held -= 16;
    bytes[place++] = pending >>> (held + 8);
    bytes[place++] = pending >>> held;
  }
  if (held >= 8) {
    held -= 8;
    bytes[place++] = pending >>> held;
  }
  if (held > 0) bytes[place++] = (pending << (8 - held)) | ((1 << (8 - held)) - 1);
  return place;
}
