import { checkWeights } from './check.ts';

/**
 * Smooth weighted round robin (nginx, `ngx_http_upstream_round_robin.c`): at each pick everybody's credit grows by its
 * weight, the largest credit is picked and pays the sum of all weights. Weights 5, 1, 1 give a a b a c a a.
 *
 * The smoothest of the weighted round robins (nobody is ever two picks away from its share), but every pick looks at
 * all endpoints: use it up to a few dozen, `EdfScheduler` above.
 *
 * Endpoints are small integers of the caller's choice (indexes, slots).
 */
export class SmoothWeightedRoundRobin {
  #endpoints = new Int32Array(0);
  #weights: Float64Array = new Float64Array(0);
  #credits: Float64Array = new Float64Array(0);
  #totalWeight = 0;

  /** Number of endpoints. */
  get size(): number {
    return this.#endpoints.length;
  }

  /**
   * Takes new members and weights. Endpoints that stay keep their credit, so that an update does not start the sequence
   * over: picks stay proportional however often it happens.
   *
   * @param endpoints distinct integers
   * @param weights one for each, above 0. Default 1 each
   * @throws RangeError, TypeError for bad weights; the old members then stay
   */
  update(endpoints: ArrayLike<number>, weights?: ArrayLike<number>): void {
    const checked = checkWeights(endpoints.length, weights);
    const owed = this.#picksOwed();
    const total = checked.reduce((sum, weight) => sum + weight, 0);
    this.#endpoints = Int32Array.from(endpoints);
    this.#weights = checked;
    this.#totalWeight = total;
    this.#credits = Float64Array.from(
      this.#endpoints,
      (endpoint) => (owed.get(endpoint) ?? 0) * total,
    );
    // Credits add up to 0, and newcomers start in the middle. Those who left took theirs along: shift the rest.
    const excess = this.#credits.reduce((sum, credit) => sum + credit, 0) / this.size;
    this.#credits = this.#credits.map((credit) => credit - excess);
  }

  /** The next endpoint, or -1 when there is none. */
  pick(): number {
    const weights = this.#weights;
    const credits = this.#credits;
    let best = -1;
    let bestCredit = -Infinity;
    for (let index = 0; index < weights.length; index++) {
      const credit = (credits[index] as number) + (weights[index] as number);
      credits[index] = credit;
      if (credit > bestCredit) {
        bestCredit = credit;
        best = index;
      }
    }
    if (best < 0) return -1;
    credits[best] = bestCredit - this.#totalWeight;
    return this.#endpoints[best] as number;
  }

  /** Credits in picks, so that they mean the same under other weights. */
  #picksOwed(): Map<number, number> {
    const owed = new Map<number, number>();
    for (const [index, endpoint] of this.#endpoints.entries()) {
      owed.set(endpoint, (this.#credits[index] as number) / this.#totalWeight);
    }
    return owed;
  }
}
