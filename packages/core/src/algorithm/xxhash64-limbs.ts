import { carryOf, mulHigh64, type Uint64 } from './uint64.ts';
import {
  PRIME1_HI,
  PRIME1_LO,
  PRIME2_HI,
  PRIME2_LO,
  PRIME3_HI,
  PRIME3_LO,
  PRIME4_HI,
  PRIME4_LO,
  PRIME5_HI,
  PRIME5_LO,
} from './xxhash64-primes.ts';
import { STRIPE_BYTES, Stripes } from './xxhash64-stripes.ts';

/** XXH64 in plain JavaScript on 32-bit halves (see uint64.ts): for keys that do not fit WebAssembly, or without it. */
export class XxHash64Limbs implements Uint64 {
  hi = 0;
  lo = 0;
  readonly #seedHi: number;
  readonly #seedLo: number;
  readonly #stripes: Stripes;

  constructor(seed: Uint64) {
    this.#seedHi = seed.hi;
    this.#seedLo = seed.lo;
    this.#stripes = new Stripes(seed.hi, seed.lo);
  }

  /** Hashes the first `length` bytes of little-endian words; the result is left in `hi`, `lo`. */
  hashWords(words: Int32Array, length: number): void {
    let hi: number;
    let lo: number;
    let next = 0; // index of the next word
    let left = length;
    if (left >= STRIPE_BYTES) {
      const stripes = this.#stripes;
      next = stripes.consume(words, left);
      left -= next * 4;
      hi = stripes.hi;
      lo = stripes.lo;
    } else {
      const sum = (this.#seedLo >>> 0) + (PRIME5_LO >>> 0);
      lo = sum | 0;
      hi = (this.#seedHi + PRIME5_HI + carryOf(sum)) | 0;
    }
    let sum = (lo >>> 0) + length;
    lo = sum | 0;
    hi = (hi + carryOf(sum)) | 0;

    // The helpers inline, but two results (high and low half) from one of them would allocate: hence the long form.
    let nextHi: number;
    let nextLo: number;
    for (; left >= 8; left -= 8, next += 2) {
      // acc = rotl(acc ^ round(0, lane), 27) * PRIME1 + PRIME4, round(0, lane) = rotl(lane * PRIME2, 31) * PRIME1
      const laneLo = words[next] as number;
      nextHi = mulHigh64(words[next + 1] as number, laneLo, PRIME2_HI, PRIME2_LO);
      nextLo = Math.imul(laneLo, PRIME2_LO);
      const turnedHi = (nextHi << 31) | (nextLo >>> 1);
      const turnedLo = (nextLo << 31) | (nextHi >>> 1);
      hi ^= mulHigh64(turnedHi, turnedLo, PRIME1_HI, PRIME1_LO);
      lo ^= Math.imul(turnedLo, PRIME1_LO);
      nextHi = (hi << 27) | (lo >>> 5);
      nextLo = (lo << 27) | (hi >>> 5);
      sum = (Math.imul(nextLo, PRIME1_LO) >>> 0) + (PRIME4_LO >>> 0);
      lo = sum | 0;
      hi = (mulHigh64(nextHi, nextLo, PRIME1_HI, PRIME1_LO) + PRIME4_HI + carryOf(sum)) | 0;
    }
    if (left >= 4) {
      // acc = rotl(acc ^ lane * PRIME1, 23) * PRIME2 + PRIME3
      const lane = words[next++] as number;
      left -= 4;
      hi ^= mulHigh64(0, lane, PRIME1_HI, PRIME1_LO);
      lo ^= Math.imul(lane, PRIME1_LO);
      nextHi = (hi << 23) | (lo >>> 9);
      nextLo = (lo << 23) | (hi >>> 9);
      sum = (Math.imul(nextLo, PRIME2_LO) >>> 0) + (PRIME3_LO >>> 0);
      lo = sum | 0;
      hi = (mulHigh64(nextHi, nextLo, PRIME2_HI, PRIME2_LO) + PRIME3_HI + carryOf(sum)) | 0;
    }
    for (let tail = words[next] as number; left > 0; left--, tail >>>= 8) {
      // acc = rotl(acc ^ byte * PRIME5, 11) * PRIME1
      const byte = tail & 0xff;
      hi ^= mulHigh64(0, byte, PRIME5_HI, PRIME5_LO);
      lo ^= Math.imul(byte, PRIME5_LO);
      nextHi = (hi << 11) | (lo >>> 21);
      nextLo = (lo << 11) | (hi >>> 21);
      hi = mulHigh64(nextHi, nextLo, PRIME1_HI, PRIME1_LO);
      lo = Math.imul(nextLo, PRIME1_LO);
    }

    // Avalanche: xor-shift 33, * PRIME2, xor-shift 29, * PRIME3, xor-shift 32.
    lo ^= hi >>> 1;
    nextHi = mulHigh64(hi, lo, PRIME2_HI, PRIME2_LO);
    nextLo = Math.imul(lo, PRIME2_LO);
    hi = nextHi ^ (nextHi >>> 29);
    lo = nextLo ^ ((nextLo >>> 29) | (nextHi << 3));
    nextHi = mulHigh64(hi, lo, PRIME3_HI, PRIME3_LO);
    nextLo = Math.imul(lo, PRIME3_LO);
    this.hi = nextHi;
    this.lo = nextLo ^ nextHi;
  }
}
