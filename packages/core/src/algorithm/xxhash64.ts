/**
 * XXH64, the 64-bit xxHash (specification: xxHash fast digest algorithm, version 0.1.1, section "XXH64").
 *
 * Envoy and gRPC hash keys and endpoints with it, so tables equal to theirs need exactly this function. Not a
 * cryptographic hash: who may choose keys may choose where they land.
 */
import type { StringHasher } from './string-hasher.ts';
import { fromBigInt, toBigInt } from './uint64.ts';
import { WordBuffer, packBytes, packUtf8 } from './utf8.ts';
import { XxHash64Limbs } from './xxhash64-limbs.ts';
import { sharedXxHash64, WASM_INPUT_BYTES, type WasmXxHash64 } from './xxhash64-wasm.ts';

/** Longest key (characters or bytes) that surely fits the buffer of the WebAssembly function. */
const WASM_UNITS = Math.floor(((WASM_INPUT_BYTES / 4 - 1) * 4) / 3);

/**
 * XXH64 with a fixed seed. Runs as WebAssembly where there is one (30 ns for a 16-character key), else on 32-bit
 * halves (60 ns); the results are the same.
 *
 * @example
 * const hasher = new XxHash64();
 * hasher.hashString('foo'); // (hasher.hi >>> 0) === 0x33bf00a8, (hasher.lo >>> 0) === 0x59c4ba3f
 */
export class XxHash64 implements StringHasher {
  hi = 0;
  lo = 0;
  readonly #seedHi: number;
  readonly #seedLo: number;
  readonly #wasm: WasmXxHash64 | undefined;
  readonly #limbs: XxHash64Limbs;
  readonly #buffer = new WordBuffer();

  /** @param seed its lower 64 bits count. Default 0, which Envoy and gRPC use for keys */
  constructor(seed: bigint | number = 0, options: XxHash64Options = {}) {
    const halves = fromBigInt(seed);
    this.#seedHi = halves.hi;
    this.#seedLo = halves.lo;
    this.#limbs = new XxHash64Limbs(halves);
    this.#wasm = (options.wasm ?? true) ? sharedXxHash64() : undefined;
  }

  hashString(text: string): void {
    const wasm = this.#wasm;
    if (wasm !== undefined && text.length <= WASM_UNITS) {
      this.lo = wasm.run(packUtf8(text, wasm.words), this.#seedHi, this.#seedLo);
      this.hi = wasm.result[1] as number;
    } else {
      const words = this.#buffer.reserve(text.length);
      this.#hashWords(words, packUtf8(text, words));
    }
  }

  hashBytes(bytes: Uint8Array, length: number = bytes.length): void {
    const wasm = this.#wasm;
    if (wasm !== undefined && length <= WASM_UNITS) {
      this.lo = wasm.run(packBytes(bytes, wasm.words, length), this.#seedHi, this.#seedLo);
      this.hi = wasm.result[1] as number;
    } else {
      const words = this.#buffer.reserve(length);
      this.#hashWords(words, packBytes(bytes, words, length));
    }
  }

  #hashWords(words: Int32Array, length: number): void {
    const limbs = this.#limbs;
    limbs.hashWords(words, length);
    this.hi = limbs.hi;
    this.lo = limbs.lo;
  }
}

export interface XxHash64Options {
  /** Use WebAssembly where possible. Default true; false is for comparisons. */
  readonly wasm?: boolean;
}

/** XXH64 of a string (as UTF-8) or of bytes as a BigInt. For keys on a hot path keep an `XxHash64`. */
export function xxhash64(input: string | Uint8Array, seed: bigint | number = 0): bigint {
  const hasher = new XxHash64(seed);
  if (typeof input === 'string') hasher.hashString(input);
  else hasher.hashBytes(input);
  return toBigInt(hasher);
}
