/**
 * MD5 (RFC 1321), for ketama's points and keys only: it is broken as a cryptographic hash.
 *
 * Our own because ketama needs one per key lookup: the one of node:crypto costs about 1 us a call, allocates its
 * result, and refuses to work in a FIPS build of OpenSSL.
 */
import { WordBuffer, packUtf8 } from './utf8.ts';

/** Left rotations of the four rounds (RFC 1321, section 3.4), repeated in cycles of four. */
const ROTATIONS = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);
/** Step constants: floor(2^32 * |sin(step + 1)|), as the RFC defines them. */
const SINES = Int32Array.from({ length: 64 }, (_, step) =>
  Math.floor(2 ** 32 * Math.abs(Math.sin(step + 1))),
);

const BLOCK_WORDS = 16;

/** Computes digests into a reused array of four words. */
export class Md5 {
  /** The last digest as four little-endian words, which are the four points that ketama takes from it. */
  readonly digest: Int32Array = new Int32Array(4);
  readonly #buffer = new WordBuffer();

  /** Hashes the UTF-8 form of a string; the result is left in `digest`. */
  hashString(text: string): void {
    // Room for the padding: one to 64 bytes and the length in 8.
    const words = this.#buffer.reserve(text.length + 72);
    const length = packUtf8(text, words);
    const end = ((length + 8) >>> 6) * BLOCK_WORDS + BLOCK_WORDS;
    const last = length >>> 2;
    // Packing leaves the last word zero past the text; a single 1 bit follows the text.
    words[last] = (words[last] as number) | (0x80 << ((length & 3) * 8));
    words.fill(0, last + 1, end);
    words[end - 2] = length << 3;
    words[end - 1] = length >>> 29;

    const { digest } = this;
    digest[0] = 0x67452301;
    digest[1] = 0xefcdab89;
    digest[2] = 0x98badcfe;
    digest[3] = 0x10325476;
    for (let block = 0; block < end; block += BLOCK_WORDS) addBlock(digest, words, block);
  }
}

/** One block of 16 words (RFC 1321, section 3.4, step 4). */
function addBlock(digest: Int32Array, words: Int32Array, block: number): void {
  let a = digest[0] as number;
  let b = digest[1] as number;
  let c = digest[2] as number;
  let d = digest[3] as number;
  for (let step = 0; step < 64; step++) {
    const roundIndex = step >>> 4;
    let mixed: number;
    let word: number;
    if (roundIndex === 0) {
      mixed = (b & c) | (~b & d);
      word = step;
    } else if (roundIndex === 1) {
      mixed = (b & d) | (c & ~d);
      word = (5 * step + 1) & 15;
    } else if (roundIndex === 2) {
      mixed = b ^ c ^ d;
      word = (3 * step + 5) & 15;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * step) & 15;
    }
    const sum = (a + mixed + (SINES[step] as number) + (words[block + word] as number)) | 0;
    const rotation = ROTATIONS[roundIndex * 4 + (step & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0;
  }
  digest[0] = (digest[0] as number) + a;
  digest[1] = (digest[1] as number) + b;
  digest[2] = (digest[2] as number) + c;
  digest[3] = (digest[3] as number) + d;
}
