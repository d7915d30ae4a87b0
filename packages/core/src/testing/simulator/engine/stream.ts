import { XorShift128 } from '../../../runtime/random.ts';

/**
 * What randomness is for. Each purpose draws from a stream of its own, so that one policy, which draws more often than
 * another, does not shift the arrivals, the work or the antagonists: policies are compared under the same circumstances
 * ("common random numbers"), which takes most of the noise out of their differences.
 */
export const Purpose = {
  layout: 1,
  arrivals: 2,
  routing: 3,
  work: 4,
  keys: 5,
  antagonist: 6,
  server: 7,
  client: 8,
  oracle: 9,
  traits: 10,
} as const;

export type Purpose = (typeof Purpose)[keyof typeof Purpose];

/** The seed of one purpose, of one of several subjects (a server, a client) where there are several. */
export function seedOf(seed: number, purpose: Purpose, subject = 0): number {
  // The finaliser of MurmurHash3 after each part: neighbouring seeds and subjects give unrelated streams.
  let hash = mixed(seed | 0);
  hash = mixed((hash ^ Math.imul(purpose, 0x9e3779b1)) | 0);
  return mixed((hash ^ Math.imul(subject + 1, 0x85ebca6b)) | 0);
}

function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Draws from the distributions that the simulator needs. */
export class Stream {
  readonly #random: XorShift128;

  constructor(seed: number) {
    this.#random = new XorShift128(seed);
  }

  /** In (0, 1), both ends left out, so that its logarithm is finite. */
  unit(): number {
    return ((this.#random.nextInt32() >>> 0) + 0.5) * 2 ** -32;
  }

  /** An index in [0, count). */
  index(count: number): number {
    return Math.floor((this.#random.nextInt32() >>> 0) * 2 ** -32 * count);
  }

  /** Exponential with this mean. */
  exponential(mean: number): number {
    return -Math.log(this.unit()) * mean;
  }

  /** Standard normal (Box and Muller 1958; the second value is thrown away). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }

  /** The items in a random order (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.index(last + 1);
      const item = result[last] as T;
      result[last] = result[other] as T;
      result[other] = item;
    }
    return result;
  }
}

/** The stream of one purpose. */
export function streamOf(seed: number, purpose: Purpose, subject = 0): Stream {
  return new Stream(seedOf(seed, purpose, subject));
}
