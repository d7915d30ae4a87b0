/** What a place is given to. */
interface Identified {
  readonly id: string;
}

/**
 * Decides which endpoints have time series of their own, at most a fixed number at a time.
 *
 * First come, first served, and kept until the endpoint leaves. Giving places to the busiest instead would let series
 * begin and end with every change of the ranking, and each such change looks to Prometheus like a counter reset.
 */
export class SeriesPlaces {
  readonly #limit: number;
  #holders = new Set<string>();

  /** @param limit 0 or more */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Of all endpoints those with a place, in the order given. */
  choose<T extends Identified>(endpoints: readonly T[]): readonly T[] {
    const before = this.#holders;
    if (endpoints.length <= this.#limit) {
      this.#holders = new Set(endpoints.map(({ id }) => id));
      return endpoints;
    }
    const staying = endpoints.reduce((count, { id }) => count + (before.has(id) ? 1 : 0), 0);
    let free = this.#limit - staying;
    const chosen = endpoints.filter(({ id }) => before.has(id) || free-- > 0);
    this.#holders = new Set(chosen.map(({ id }) => id));
    return chosen;
  }
}
