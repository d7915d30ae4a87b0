import type { RandomSource } from '../algorithm/random-source.ts';
import { Rendezvous } from '../algorithm/rendezvous.ts';
import { XxHash64 } from '../algorithm/xxhash64.ts';

/** One of several ways, with its part of the requests. */
export interface Share {
  /** Stable and distinct: keys are bound to it. Not empty. */
  readonly name: string;
  /** 0 or more, relative to the others. */
  readonly share: number;
}

export interface ShareDrawOptions {
  readonly random: RandomSource;
  /** Do keys decide, where a request has one? Otherwise every request is drawn. */
  readonly byKey: boolean;
}

/**
 * Chooses one of several ways in proportion to their shares: at random, or by key. Allocates nothing.
 *
 * By key it is rendezvous hashing, weighted with the shares, so that a change moves no more keys than it must: when one
 * share grows, keys move to it from all others and between the others none does; when it shrinks, the same keys go back.
 * Cutting the range of hashes into pieces would move keys between neighbours that nothing happened to.
 */
export class ShareDraw {
  /** Position, among all that were given, of each with a share. */
  readonly #indexes: Int32Array;
  /** Sum of the shares up to and with each of them, where all of them make 2^32. */
  readonly #ends: Float64Array;
  readonly #random: RandomSource;
  readonly #scores: Rendezvous | undefined;
  readonly #hasher = new XxHash64();

  constructor(shares: readonly Share[], { random, byKey }: ShareDrawOptions) {
    const positive = shares.map((_, index) => index).filter((index) => shareAt(shares, index) > 0);
    const weights = positive.map((index) => shareAt(shares, index));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    let before = 0;
    this.#indexes = Int32Array.from(positive);
    this.#ends = Float64Array.from(weights, (weight) => ((before += weight) / sum) * 2 ** 32);
    this.#random = random;
    this.#scores =
      byKey && positive.length > 1
        ? new Rendezvous({ keys: positive.map((index) => shares[index]?.name ?? ''), weights })
        : undefined;
  }

  /** Position of the way to take; 0 when none has a share. */
  choose(hashKey: string | undefined): number {
    const indexes = this.#indexes;
    if (indexes.length < 2) return indexes.length === 0 ? 0 : (indexes[0] as number);
    const scores = this.#scores;
    if (scores !== undefined && hashKey !== undefined) {
      const hasher = this.#hasher;
      hasher.hashString(hashKey);
      return indexes[scores.lookup(hasher.hi, hasher.lo)] as number;
    }
    const place = this.#random.nextInt32() >>> 0;
    const ends = this.#ends;
    const last = indexes.length - 1;
    let at = 0;
    // Few ways: a scan beats a search. The last end may be below 2^32 by rounding, so it is not asked.
    while (at < last && place >= (ends[at] as number)) at++;
    return indexes[at] as number;
  }

  /** The way that a key leads to; undefined when requests are drawn. */
  wayOf(hashKey: string | undefined): number | undefined {
    if (this.#indexes.length > 1 && (this.#scores === undefined || hashKey === undefined)) {
      return undefined;
    }
    return this.choose(hashKey);
  }
}

function shareAt(shares: readonly Share[], index: number): number {
  return shares[index]?.share ?? 0;
}
