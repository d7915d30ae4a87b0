import { checkKeys, checkWeights } from './check.ts';
import { fillEqual, fillWeighted, type MaglevEntries, type Permutations } from './maglev-fill.ts';
import { Modulus } from './modulus.ts';
import { isPrime } from './prime.ts';
import { XxHash64 } from './xxhash64.ts';

/** The paper's small table and Envoy's default: below 1 % imbalance up to 655 endpoints, 131 KB. */
export const DEFAULT_MAGLEV_SIZE = 65_537;

/** Envoy's largest table (`maglev.proto`). */
export const MAX_MAGLEV_SIZE = 5_000_011;

export interface MaglevOptions {
  /** Hash key of each endpoint, for instance `address:port`. Non-empty and distinct. */
  readonly keys: readonly string[];
  /** Weight of each endpoint, above 0. Default 1 each. */
  readonly weights?: ArrayLike<number>;
  /**
   * Entries: a prime from 2 to 5000011, not below the number of endpoints. Default 65537. Take at least 100 times the
   * endpoints for balance within 1 %, and 650 times for less than 1 % of surviving keys moved by a loss of 5 %.
   */
  readonly size?: number;
}

/**
 * Maglev hashing (Eisenbud et al., NSDI 2016, section 3.4): every endpoint has its own permutation of the table's
 * entries; in turns they claim the next free one of their permutation, so that with equal weights all own the same
 * number of entries, give or take one. Picks are one remainder and one read.
 *
 * The tables are Envoy's (`maglev_lb.cc`), entry for entry: XXH64 of the key with seed 0 for the offset and seed 1 for
 * the skip, endpoints in byte order of their keys, the same rule for weights. Endpoints are indexes into `keys`, in
 * whatever order those were given. A built table never changes.
 *
 * Building takes M ln M steps on average for a table of M entries: 65,537 take 2 to 3 ms.
 */
export class MaglevTable {
  /** Number of entries. */
  readonly size: number;
  readonly endpointCount: number;
  /** The endpoint of each entry. Do not write. Two bytes an entry, four above 65,535 endpoints. */
  readonly entries: MaglevEntries;
  /** Entries of each endpoint. */
  readonly counts: Uint32Array;
  readonly #modulus: Modulus;
  /** Marks the endpoints already found by one walk: the mark of a walk is its number. */
  readonly #marks: Uint32Array;
  #walks = 0;

  /** @throws RangeError for a size that is no prime or out of range, empty or repeated keys, bad weights */
  constructor(options: MaglevOptions) {
    const { keys, size = DEFAULT_MAGLEV_SIZE } = options;
    checkSize(size);
    checkKeys(keys);
    if (keys.length > size) {
      throw new RangeError(
        `keys must be at most as many as the size of the table, ${size}, got ${keys.length}`,
      );
    }
    const weights = checkWeights(keys.length, options.weights);
    this.size = size;
    this.endpointCount = keys.length;
    this.counts = new Uint32Array(keys.length);
    this.#modulus = new Modulus(size);
    this.#marks = new Uint32Array(keys.length);
    const turns = turnOrder(keys);
    const permutations = permute(keys, turns, this.#modulus);
    this.entries = isUniform(weights)
      ? fillEqual(permutations, size)
      : fillWeighted(permutations, size, weights);
    if (keys.length > 0) countEntries(this.entries, this.counts);
  }

  /** The endpoint for a hash in halves, or -1 when there is none. */
  lookup(hi: number, lo: number): number {
    if (this.endpointCount === 0) return -1;
    return this.entries[this.#modulus.reduce(hi, lo)] as number;
  }

  /**
   * Envoy's choice for retry `attempt` (0 is the first try): `hash ^ (2^64 - attempt)`, which changes most bits of the
   * hash. Not always another endpoint; walk `preference` for that.
   */
  lookupAttempt(hi: number, lo: number, attempt: number): number {
    return attempt === 0 ? this.lookup(hi, lo) : this.lookup(~hi, lo ^ -attempt);
  }

  /**
   * Fills `out` with distinct endpoints, the owner first, then those of Envoy's retry attempts, then in the order of
   * the table from the last of these on. Returns how many there are: all endpoints with an entry, if `out` is that long.
   */
  preference(hi: number, lo: number, out: Int32Array | Uint32Array): number {
    const wanted = Math.min(out.length, this.endpointCount);
    const marks = this.#marks;
    const mark = this.#nextMark();
    let found = 0;
    let entry = 0;
    // Random attempts find most of a short list at once; the last few of all endpoints would take very many.
    for (let attempt = 0; found < wanted && attempt < 2 * wanted; attempt++) {
      entry =
        attempt === 0 ? this.#modulus.reduce(hi, lo) : this.#modulus.reduce(~hi, lo ^ -attempt);
      const endpoint = this.entries[entry] as number;
      if (marks[endpoint] !== mark) {
        marks[endpoint] = mark;
        out[found++] = endpoint;
      }
    }
    for (let step = 1; found < wanted && step < this.size; step++) {
      entry = entry + 1 === this.size ? 0 : entry + 1;
      const endpoint = this.entries[entry] as number;
      if (marks[endpoint] !== mark) {
        marks[endpoint] = mark;
        out[found++] = endpoint;
      }
    }
    return found;
  }

  #nextMark(): number {
    if (this.#walks === 0xffff_ffff) {
      this.#marks.fill(0);
      this.#walks = 0;
    }
    return ++this.#walks;
  }
}

function checkSize(size: number): void {
  if (!isPrime(size) || size > MAX_MAGLEV_SIZE) {
    throw new RangeError(`size must be a prime between 2 and ${MAX_MAGLEV_SIZE}, got ${size}`);
  }
}

const SURROGATE = /[\ud800-\udfff]/;

/**
 * Endpoints by the bytes of their keys, which is Envoy's order and makes the table independent of the input's.
 *
 * The order of UTF-8 bytes is the order of code points. Strings compare by UTF-16 units, which differs only when a
 * surrogate (half of a code point above U+FFFF) meets a unit above the surrogates.
 */
function turnOrder(keys: readonly string[]): Uint32Array {
  const turns = Uint32Array.from(keys.keys());
  return keys.some((key) => SURROGATE.test(key))
    ? turns.sort((a, b) => compareCodePoints(keys[a] as string, keys[b] as string))
    : turns.sort((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1)); // never equal
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const unitA = a.charCodeAt(at);
    const unitB = b.charCodeAt(at);
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Moves the surrogates behind all other UTF-16 units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit;
}

function permute(keys: readonly string[], turns: Uint32Array, modulus: Modulus): Permutations {
  const offsetHash = new XxHash64(0);
  const skipHash = new XxHash64(1);
  const skipModulus = new Modulus(modulus.divisor - 1);
  const offsets = new Uint32Array(turns.length);
  const skips = new Uint32Array(turns.length);
  for (let turn = 0; turn < turns.length; turn++) {
    const key = keys[turns[turn] as number] as string;
    offsetHash.hashString(key);
    skipHash.hashString(key);
    offsets[turn] = modulus.reduce(offsetHash.hi, offsetHash.lo);
    skips[turn] = skipModulus.reduce(skipHash.hi, skipHash.lo) + 1;
  }
  return { endpoints: turns, offsets, skips };
}

function countEntries(entries: MaglevEntries, counts: Uint32Array): void {
  for (let entry = 0; entry < entries.length; entry++) {
    const endpoint = entries[entry] as number;
    counts[endpoint] = (counts[endpoint] as number) + 1;
  }
}

function isUniform(weights: Float64Array): boolean {
  return weights.every((weight) => weight === weights[0]);
}
