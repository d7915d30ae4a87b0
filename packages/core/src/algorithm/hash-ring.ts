import { checkKeys, checkWeights } from './check.ts';
import type { RingPoints } from './ring-points.ts';
import { type PointPositions, placePoints } from './ring-revision.ts';
import { countPoints, DEFAULT_POINTS_PER_WEIGHT, type RingSizing } from './ring-sizing.ts';
import type { StringHasher } from './string-hasher.ts';
import { XxHash64 } from './xxhash64.ts';

/** Decimal digits of the largest point index. */
const MAX_DIGITS = 10;
const ASCII_ZERO = 0x30;

export interface HashRingOptions {
  /** Hash key of each endpoint, for instance `address:port`. Non-empty and distinct. */
  readonly keys: readonly string[];
  /** Weight of each endpoint, above 0. Default 1 each. */
  readonly weights?: ArrayLike<number>;
  /** Default stable with 160 points per unit of weight. */
  readonly sizing?: RingSizing;
  /** Hashes `<key>_<i>` for i = 0, 1, ...; picks must use the same function. Default XXH64 with seed 0. */
  readonly hasher?: StringHasher;
  /** A ring with the same hash function, from which points are taken that do not change: same result, less time. */
  readonly earlier?: HashRing | undefined;
}

/**
 * Consistent hashing on a ring (Karger et al. 1997), with the points of Envoy (`ring_hash_lb.cc`) and gRPC (gRFC A42):
 * endpoint `key` owns the hashes of `key_0`, `key_1`, ...; a request belongs to the first point at or behind its hash.
 *
 * Endpoints are indexes into `keys`. A built ring never changes.
 */
export class HashRing {
  readonly endpointCount: number;
  readonly #keys: readonly string[];
  readonly #points: RingPoints;

  /** @throws RangeError for empty or repeated keys, bad weights or sizes; TypeError for numbers that are none */
  constructor(options: HashRingOptions) {
    const { keys, sizing = { kind: 'stable', pointsPerWeight: DEFAULT_POINTS_PER_WEIGHT } } =
      options;
    checkKeys(keys);
    const weights = checkWeights(keys.length, options.weights);
    this.endpointCount = keys.length;
    this.#keys = keys;
    const counts = countPoints(weights, sizing);
    const place = pointHasher(keys, counts, options.hasher ?? new XxHash64());
    const { earlier } = options;
    this.#points = placePoints(
      { keys, counts, place },
      earlier === undefined ? undefined : { keys: earlier.#keys, points: earlier.#points },
    );
  }

  /** Points on the ring. */
  get size(): number {
    return this.#points.size;
  }

  /** Points of each endpoint: its expected share is its count over `size`. */
  get counts(): Uint32Array {
    return this.#points.counts;
  }

  /** Share of all keys that each endpoint owns, 0..1: the arcs in front of its points. Computed at each call. */
  shares(): Float64Array {
    return this.#points.shares();
  }

  /** The endpoint for a hash in halves, or -1 on an empty ring. Constant time on average. */
  lookup(hi: number, lo: number): number {
    return this.lookupAttempt(hi, lo, 0);
  }

  /**
   * Envoy's choice for a retry: the owner of the point `attempt` places further. Not always another endpoint; walk
   * `preference` for that.
   */
  lookupAttempt(hi: number, lo: number, attempt: number): number {
    const points = this.#points;
    if (points.size === 0) return -1;
    const point = points.find(hi, lo);
    return points.ownerOf(attempt === 0 ? point : (point + attempt) % points.size);
  }

  /** Fills `out` with distinct endpoints in the order of the ring, the owner first. Returns how many there are. */
  preference(hi: number, lo: number, out: Int32Array | Uint32Array): number {
    return this.size === 0 ? 0 : this.#points.walk(this.#points.find(hi, lo), out);
  }

  /** Position and owner of a point, in the order of the ring. */
  pointAt(index: number): { readonly hi: number; readonly lo: number; readonly endpoint: number } {
    return { ...this.#points.positionOf(index), endpoint: this.#points.ownerOf(index) };
  }
}

/** Writes the hashes of `<key>_0`, `<key>_1`, ... of an endpoint. */
function pointHasher(
  keys: readonly string[],
  counts: Uint32Array,
  hasher: StringHasher,
): (endpoint: number, into: PointPositions, at: number) => void {
  const name = new PointName();
  return (endpoint, { hi, lo }, at) => {
    const count = counts[endpoint] as number;
    name.start(keys[endpoint] as string);
    for (let index = 0; index < count; index++) {
      hasher.hashBytes(name.bytes, name.finish(index));
      hi[at + index] = hasher.hi;
      lo[at + index] = hasher.lo;
    }
  };
}

/** Writes `<key>_<index>` as bytes, anew only where it changes: strings would cost more than their hash. */
class PointName {
  bytes: Uint8Array = new Uint8Array(0);
  #prefixLength = 0;

  start(key: string): void {
    const prefix = new TextEncoder().encode(`${key}_`);
    this.#prefixLength = prefix.length;
    this.bytes = new Uint8Array(prefix.length + MAX_DIGITS);
    this.bytes.set(prefix);
  }

  /** Appends the index and returns the length of the whole. */
  finish(index: number): number {
    let digits = 1;
    for (let bound = 10; index >= bound; bound *= 10) digits++;
    const end = this.#prefixLength + digits;
    for (let at = end - 1, rest = index; at >= this.#prefixLength; at--) {
      const tenth = Math.floor(rest / 10);
      this.bytes[at] = ASCII_ZERO + rest - tenth * 10;
      rest = tenth;
    }
    return end;
  }
}
