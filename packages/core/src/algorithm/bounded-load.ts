import { checkInteger, checkNumber, checkWeights } from './check.ts';

/** Envoy's `hash_balance_factor` has this minimum: below it there would be fewer slots than requests. */
export const MIN_BALANCE_FACTOR_PERCENT = 100;
/**
 * Random jumps before the rest is searched in order. With 125 % and 80 % of the endpoints full they fail in one of a
 * thousand cases (0.8^32).
 */
const MAX_JUMPS = 32;
/** 10,000 % is as good as no bound. */
const MAX_BALANCE_FACTOR_PERCENT = 10_000;

/**
 * How many requests all endpoints together may have in flight once one more is added to `activeTotal`: the given
 * percentage of their number, rounded up (Envoy, `thread_aware_lb_impl.cc`).
 */
export function totalSlots(activeTotal: number, factorPercent: number): number {
  return Math.floor(((activeTotal + 1) * factorPercent + 99) / 100);
}

/**
 * A share is a rounded quotient, so a product that should be a whole number may come out a hair above it (525 slots of
 * 75 equal endpoints: 7.000000000000001), and the ceiling of that would be a request too many. Three roundings err by
 * less than 2^-51.
 */
const ROUNDING_GUARD = 1 - 2 ** -51;

/** The part of them that an endpoint with this share (0..1) of the weight may have: rounded up, at least one. */
export function slotsOf(total: number, share: number): number {
  return Math.max(1, Math.ceil(total * share * ROUNDING_GUARD));
}

export interface BoundedLoadOptions {
  /** Requests in flight by slot of the load table. Read at every pick, never written. */
  readonly active: Int32Array;
  /** Slot of each endpoint in `active`. Default: its own index. */
  readonly slots?: Int32Array;
  /** Number of endpoints, at most 2^31. */
  readonly endpointCount: number;
  /** Weight of each endpoint, above 0. Default 1 each. */
  readonly weights?: ArrayLike<number>;
  /** Cap as a percentage of the mean load, 100 to 10000. Typical 120 to 200. Default 125. */
  readonly factorPercent?: number;
}

/**
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, arXiv 1608.01350): nobody gets more than
 * `factorPercent` of the mean load, however skewed the keys are; what is too much goes elsewhere, always in the same
 * order for the same key.
 *
 * Where the overflow goes is decided by random jumps (Chen, Coleman, Shrivastava, arXiv 1908.08762): the key's hash
 * seeds an order of all endpoints. Walking the ring instead would send the overflow of every key of a hot endpoint to
 * the same neighbour. The expected number of jumps is constant: with a factor of 125 % at most 80 % of the endpoints
 * are full.
 *
 * Two deliberate differences from Envoy: the cap is exact (Envoy compares before the increment and lets one request more
 * through), and the order costs nothing to set up (Envoy shuffles all endpoints at each overflow). While nothing
 * overflows the picks are the same.
 */
export class BoundedLoad {
  readonly endpointCount: number;
  readonly factorPercent: number;
  readonly #active: Int32Array;
  readonly #slots: Int32Array;
  readonly #shares: Float64Array;

  /** @throws RangeError, TypeError for options out of range */
  constructor(options: BoundedLoadOptions) {
    const { endpointCount, factorPercent = 125 } = options;
    this.endpointCount = checkInteger('endpointCount', endpointCount, { min: 0, max: 2 ** 31 - 1 });
    this.factorPercent = checkNumber('factorPercent', factorPercent, {
      min: MIN_BALANCE_FACTOR_PERCENT,
      max: MAX_BALANCE_FACTOR_PERCENT,
    });
    const weights = checkWeights(endpointCount, options.weights);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    this.#shares = weights.map((weight) => weight / sum);
    this.#active = options.active;
    this.#slots = options.slots ?? Int32Array.from({ length: endpointCount }, (_, index) => index);
  }

  /** Requests that an endpoint may have in flight when `activeTotal` are in flight everywhere. */
  capOf(endpoint: number, activeTotal: number): number {
    return slotsOf(totalSlots(activeTotal, this.factorPercent), this.#shares[endpoint] as number);
  }

  /** Would one more request keep an endpoint within its cap? */
  hasRoom(endpoint: number, activeTotal: number): boolean {
    return this.#activeOf(endpoint) < this.capOf(endpoint, activeTotal);
  }

  /**
   * The preferred endpoint if it has room, else the first with room in the order that `seed` gives.
   *
   * While `activeTotal` is the sum of `active` over the endpoints, one of them has room: there are more slots than
   * requests. When it is less than the sum, for instance because a request ended in between, or some are excluded, and
   * all others are full, the preferred one is returned.
   *
   * @param preferred the endpoint that hashing chose, not one of the excluded
   * @param seed 32 bits of the key's hash, for instance `hi ^ lo`
   * @param exclude slots (indexes of `active`) that do not count as having room
   */
  // Four parameters: an options object would be an allocation per pick.
  pick(
    preferred: number,
    seed: number,
    activeTotal: number,
    exclude: readonly number[] = NOTHING,
  ): number {
    const total = totalSlots(activeTotal, this.factorPercent);
    if (this.#isBelow(preferred, total)) return preferred;
    let bits = seed;
    let endpoint = preferred;
    for (let jump = 0; jump < MAX_JUMPS; jump++) {
      bits = scatter(bits);
      endpoint = Math.floor((bits >>> 0) * (this.endpointCount * 2 ** -32));
      if (this.#isBelow(endpoint, total) && !this.#isExcluded(endpoint, exclude)) return endpoint;
    }
    for (let step = 1; step < this.endpointCount; step++) {
      endpoint = endpoint + 1 === this.endpointCount ? 0 : endpoint + 1;
      if (this.#isBelow(endpoint, total) && !this.#isExcluded(endpoint, exclude)) return endpoint;
    }
    return preferred;
  }

  #isBelow(endpoint: number, total: number): boolean {
    return this.#activeOf(endpoint) < slotsOf(total, this.#shares[endpoint] as number);
  }

  #isExcluded(endpoint: number, exclude: readonly number[]): boolean {
    return exclude.length > 0 && exclude.includes(this.#slots[endpoint] as number);
  }

  #activeOf(endpoint: number): number {
    return this.#active[this.#slots[endpoint] as number] as number;
  }
}

const NOTHING: readonly number[] = [];

/** The next of a sequence of random-looking 32 bits: a Weyl step, then the finalizer of MurmurHash3. */
function scatter(bits: number): number {
  let mixed = (bits + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
