/** Bytes of buffer that stay allocated between keys; a longer key gets a buffer of its own once. */
const KEPT_BYTES = 65_536;
const INITIAL_BYTES = 256;
/** U+FFFD, which stands for a surrogate without its partner (Encoding Standard; TextEncoder and Buffer do the same). */
const REPLACEMENT = 0xfffd;

/** Words that hold the packed form of any string or array of `units`: three bytes a UTF-16 unit, one word of slack. */
export function wordsFor(units: number): number {
  return Math.ceil((units * 3) / 4) + 1;
}

/**
 * Writes the UTF-8 bytes of a string as little-endian 32-bit words and returns their number in bytes. Reads the same
 * on any machine's byte order and allocates nothing; about 1.5 ns a character as long as they are ASCII.
 *
 * Unused bytes of the last word are zero; words behind it are left alone.
 *
 * @param words at least `wordsFor(text.length)` long
 */
export function packUtf8(text: string, words: Int32Array): number {
  const length = packAscii(text, words);
  return length >= 0 ? length : packUnicode(text, words);
}

/** The same for bytes: packs the first `length` of them and returns `length`. */
export function packBytes(bytes: Uint8Array, words: Int32Array, length: number): number {
  const whole = length >>> 2;
  for (let word = 0, at = 0; word < whole; word++, at += 4) {
    words[word] =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
  }
  let last = 0;
  for (let at = whole * 4; at < length; at++) last |= (bytes[at] as number) << ((at & 3) * 8);
  words[whole] = last;
  return length;
}

/** A reused buffer that grows with the longest key. */
export class WordBuffer {
  #words = new Int32Array(INITIAL_BYTES / 4);

  /** Words enough for `units` characters or bytes. The contents of an earlier call may be gone. */
  reserve(units: number): Int32Array {
    const needed = wordsFor(units);
    if (needed > this.#words.length || this.#words.length > KEPT_BYTES / 4) {
      let length = INITIAL_BYTES / 4;
      while (length < needed) length *= 2;
      this.#words = new Int32Array(length);
    }
    return this.#words;
  }
}

/** Packs four characters a word; -1 when any of them is not ASCII, noticed at the end by the OR of all. */
function packAscii(text: string, words: Int32Array): number {
  const { length } = text;
  let seen = 0;
  let at = 0;
  let word = 0;
  for (; at + 3 < length; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    seen |= a | b | c | d;
    words[word++] = a | (b << 8) | (c << 16) | (d << 24);
  }
  let last = 0;
  for (let shift = 0; at < length; at++, shift += 8) {
    const code = text.charCodeAt(at);
    seen |= code;
    last |= code << shift;
  }
  words[word] = last;
  return seen < 0x80 ? length : -1;
}

function packUnicode(text: string, words: Int32Array): number {
  let length = 0;
  let pending = 0; // bytes of the word under way, filled from the low end
  for (let at = 0; at < text.length; at++) {
    // codePointAt gives a lone surrogate as it is; only those are left in the surrogate range.
    let code = text.codePointAt(at) as number;
    if (code > 0xffff) at++;
    else if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;

    const bytes = encode(code);
    const bits = code < 0x80 ? 8 : code < 0x800 ? 16 : code < 0x1_0000 ? 24 : 32;
    const shift = (length & 3) * 8;
    pending |= bytes << shift;
    if (shift + bits >= 32) {
      words[length >>> 2] = pending;
      const left = shift + bits - 32;
      pending = left === 0 ? 0 : bytes >>> (bits - left);
    }
    length += bits >>> 3;
  }
  words[length >>> 2] = pending;
  return length;
}

/** The UTF-8 bytes of a code point (RFC 3629, section 3), the first in the lowest byte. */
function encode(code: number): number {
  if (code < 0x80) return code;
  const last = 0x80 | (code & 0x3f);
  if (code < 0x800) return 0xc0 | (code >> 6) | (last << 8);
  const third = 0x80 | ((code >> 6) & 0x3f);
  if (code < 0x1_0000) return 0xe0 | (code >> 12) | (third << 8) | (last << 16);
  return 0xf0 | (code >> 18) | ((0x80 | ((code >> 12) & 0x3f)) << 8) | (third << 16) | (last << 24);
}
