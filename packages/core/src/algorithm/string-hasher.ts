import type { Uint64 } from './uint64.ts';

/**
 * A 64-bit hash function over strings and bytes whose result is left in `hi` and `lo`, so that hashing a key allocates
 * nothing. One instance serves one caller at a time: read the result before the next key is hashed.
 *
 * ```ts
 * hasher.hashString(key);
 * const index = table.lookup(hasher.hi, hasher.lo);
 * ```
 */
export interface StringHasher extends Uint64 {
  /** Hashes the UTF-8 form of a string; lone surrogates count as U+FFFD. */
  hashString(text: string): void;
  /** Hashes the first `length` bytes, by default all of them. */
  hashBytes(bytes: Uint8Array, length?: number): void;
}
