import { checkKeys, checkWeights } from './check.ts';
import { XxHash64 } from './xxhash64.ts';

export interface RendezvousOptions {
  /** Hash key of each endpoint, for instance `address:port`. Non-empty and distinct. */
  readonly keys: readonly string[];
  /** Weight of each endpoint, above 0. Default 1 each. */
  readonly weights?: ArrayLike<number>;
}

/**
 * Rendezvous hashing, or highest random weight (Thaler and Ravishankar 1998): every endpoint draws a number u in (0, 1)
 * from the request's hash and its own, and the highest score `-w / ln(u)` wins.
 *
 * That score makes shares exactly proportional to the weights: `-ln(u) / w` is exponentially distributed with rate w,
 * and the smallest of several exponentials is the i-th with probability w_i / sum(w). A change moves only the keys it
 * must: a score depends on nobody else. The price is a look at every endpoint, so it suits fewer than 50 or the few
 * picks of a subset; the endpoints in the order of their scores are a request's replicas and retries.
 *
 * Endpoints are indexes into `keys`. Weights and members never change; build a new one.
 */
export class Rendezvous {
  readonly endpointCount: number;
  /** Hashes of the endpoints' keys, in halves. */
  readonly #hi: Int32Array;
  readonly #lo: Int32Array;
  /** Undefined when all are equal. */
  readonly #weights: Float64Array | undefined;
  /** Scores of the endpoints in `out` during `top`. */
  #scores = new Float64Array(8);

  /** @throws RangeError for empty or repeated keys or bad weights */
  constructor(options: RendezvousOptions) {
    const { keys } = options;
    checkKeys(keys);
    const weights = checkWeights(keys.length, options.weights);
    this.endpointCount = keys.length;
    this.#weights = weights.every((weight) => weight === weights[0]) ? undefined : weights;
    this.#hi = new Int32Array(keys.length);
    this.#lo = new Int32Array(keys.length);
    const hasher = new XxHash64();
    for (const [endpoint, key] of keys.entries()) {
      hasher.hashString(key);
      this.#hi[endpoint] = hasher.hi;
      this.#lo[endpoint] = hasher.lo;
    }
  }

  /** The endpoint for a hash in halves, or -1 when there is none. */
  lookup(hi: number, lo: number): number {
    return this.#weights === undefined
      ? this.#highestDraw(hi, lo)
      : this.#highestScore(hi, lo, this.#weights);
  }

  /**
   * Fills `out` with the endpoints of the highest scores, best first, and returns how many there are. For few places:
   * each endpoint that makes it into the list is inserted by moving those behind it.
   */
  top(hi: number, lo: number, out: Int32Array | Uint32Array): number {
    const weights = this.#weights;
    const places = Math.min(out.length, this.endpointCount);
    if (this.#scores.length < places) this.#scores = new Float64Array(places);
    const scores = this.#scores;
    let found = 0;
    for (let endpoint = 0; places > 0 && endpoint < this.endpointCount; endpoint++) {
      const draw = this.#draw(hi, lo, endpoint);
      const weight = weights === undefined ? 0 : (weights[endpoint] as number);
      // What a score must exceed once all places are taken; the bound is that of `#highestScore`.
      const least = found < places ? -1 : (scores[places - 1] as number);
      if (weight > 0 && weight <= least * (1 - unit(draw))) continue;
      const score = weight > 0 ? scoreOf(draw, weight) : draw;
      if (score <= least) continue;
      let place = found < places ? found++ : places - 1;
      for (; place > 0 && (scores[place - 1] as number) < score; place--) {
        scores[place] = scores[place - 1] as number;
        out[place] = out[place - 1] as number;
      }
      scores[place] = score;
      out[place] = endpoint;
    }
    return found;
  }

  /** With equal weights the score only has to grow with the draw. */
  #highestDraw(hi: number, lo: number): number {
    let best = -1;
    let bestDraw = -1;
    for (let endpoint = 0; endpoint < this.endpointCount; endpoint++) {
      const draw = this.#draw(hi, lo, endpoint);
      if (draw > bestDraw) {
        bestDraw = draw;
        best = endpoint;
      }
    }
    return best;
  }

  #highestScore(hi: number, lo: number, weights: Float64Array): number {
    let best = -1;
    let bestScore = 0;
    for (let endpoint = 0; endpoint < this.endpointCount; endpoint++) {
      const draw = this.#draw(hi, lo, endpoint);
      const weight = weights[endpoint] as number;
      // -ln(u) >= 1 - u, so w / (1 - u) bounds the score from above: most endpoints need no logarithm (15 ns).
      if (weight <= bestScore * (1 - unit(draw))) continue;
      const score = scoreOf(draw, weight);
      if (score > bestScore) {
        bestScore = score;
        best = endpoint;
      }
    }
    return best;
  }

  /**
   * 32 bits from the hashes of the request and of an endpoint, as an unsigned integer. Two rounds of the finalizer of
   * MurmurHash3 (fmix32), each over one half of both, make the draws of different endpoints independent.
   */
  #draw(hi: number, lo: number, endpoint: number): number {
    return (
      mix32(mix32(lo ^ (this.#lo[endpoint] as number)) ^ hi ^ (this.#hi[endpoint] as number)) >>> 0
    );
  }
}

function mix32(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** A draw as a number in (0, 1): the middle of its 2^-32. */
function unit(draw: number): number {
  return (draw + 0.5) * 2 ** -32;
}

function scoreOf(draw: number, weight: number): number {
  return -weight / Math.log(unit(draw));
}
