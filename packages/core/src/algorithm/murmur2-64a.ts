/**
 * MurmurHash2-64A (Appleby, SMHasher `MurmurHash2.cpp`): the alternative hash of Envoy's ring, and the `std::hash` of
 * libstdc++ on 64-bit machines.
 */
import type { StringHasher } from './string-hasher.ts';
import { fromBigInt, mulHigh64, toBigInt } from './uint64.ts';
import { WordBuffer, packBytes, packUtf8 } from './utf8.ts';

/** Seed of libstdc++ and of Envoy's MURMUR_HASH_2. */
export const ENVOY_MURMUR_SEED = 0xc70f_6907;

// The multiplier m = 0xc6a4a7935bd1e995. The shift r = 47 is 15 bits within the upper half.
const M_HI = 0xc6a4a793 | 0;
const M_LO = 0x5bd1e995 | 0;
const SHIFT = 47 - 32;

/** MurmurHash2-64A with a fixed seed, on 32-bit halves. */
export class MurmurHash2 implements StringHasher {
  hi = 0;
  lo = 0;
  readonly #seedHi: number;
  readonly #seedLo: number;
  readonly #buffer = new WordBuffer();

  /** @param seed its lower 64 bits count. Default 0xc70f6907, Envoy's */
  constructor(seed: bigint | number = ENVOY_MURMUR_SEED) {
    const { hi, lo } = fromBigInt(seed);
    this.#seedHi = hi;
    this.#seedLo = lo;
  }

  hashString(text: string): void {
    const words = this.#buffer.reserve(text.length);
    this.#hash(words, packUtf8(text, words));
  }

  hashBytes(bytes: Uint8Array, length: number = bytes.length): void {
    const words = this.#buffer.reserve(length);
    this.#hash(words, packBytes(bytes, words, length));
  }

  #hash(words: Int32Array, length: number): void {
    // hash = seed ^ (length * m)
    let hi = this.#seedHi ^ mulHigh64(0, length, M_HI, M_LO);
    let lo = this.#seedLo ^ Math.imul(length, M_LO);
    let next = 0;
    for (const end = (length >>> 3) * 2; next < end; next += 2) {
      // block *= m; block ^= block >>> 47; block *= m; hash = (hash ^ block) * m
      const blockLo = words[next] as number;
      const mixedHi = mulHigh64(words[next + 1] as number, blockLo, M_HI, M_LO);
      const mixedLo = Math.imul(blockLo, M_LO) ^ (mixedHi >>> SHIFT);
      hi ^= mulHigh64(mixedHi, mixedLo, M_HI, M_LO);
      lo ^= Math.imul(mixedLo, M_LO);
      hi = mulHigh64(hi, lo, M_HI, M_LO);
      lo = Math.imul(lo, M_LO);
    }
    const tail = length & 7;
    if (tail > 0) {
      // Up to seven bytes, read as the low end of a block. The last word is padded with zeros.
      lo ^= words[next] as number;
      if (tail > 4) hi ^= words[next + 1] as number;
      hi = mulHigh64(hi, lo, M_HI, M_LO);
      lo = Math.imul(lo, M_LO);
    }
    lo ^= hi >>> SHIFT;
    hi = mulHigh64(hi, lo, M_HI, M_LO);
    lo = Math.imul(lo, M_LO);
    this.hi = hi;
    this.lo = lo ^ (hi >>> SHIFT);
  }
}

/** MurmurHash2-64A of a string (as UTF-8) or of bytes as a BigInt. */
export function murmurHash2(
  input: string | Uint8Array,
  seed: bigint | number = ENVOY_MURMUR_SEED,
): bigint {
  const hasher = new MurmurHash2(seed);
  if (typeof input === 'string') hasher.hashString(input);
  else hasher.hashBytes(input);
  return toBigInt(hasher);
}
