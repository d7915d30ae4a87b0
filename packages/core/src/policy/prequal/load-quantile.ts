/** Answers that the distribution is taken over. */
const WINDOW = 128;
/** Loads from here on count as this one. */
const MAX_LOAD = 1_023;

/**
 * A quantile of the latest 128 loads, kept up to date in O(1): loads are small whole numbers, so a histogram of them and
 * a pointer into it will do.
 */
export class LoadQuantile {
  /** The quantile: at least this share of the loads is not above it. 0 before the first load. */
  value = 0;
  readonly #ratio: number;
  readonly #ring = new Uint16Array(WINDOW);
  readonly #counts = new Uint16Array(MAX_LOAD + 1);
  #next = 0;
  #count = 0;
  /** Loads below `value`. */
  #below = 0;

  /** @param ratio which quantile, 0..1 */
  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  add(load: number): void {
    const counts = this.#counts;
    const value = load < MAX_LOAD ? Math.round(load) : MAX_LOAD;
    if (this.#count === WINDOW) {
      const former = this.#ring[this.#next] as number;
      counts[former] = (counts[former] as number) - 1;
      if (former < this.value) this.#below--;
    } else this.#count++;
    this.#ring[this.#next] = value;
    this.#next = (this.#next + 1) % WINDOW;
    counts[value] = (counts[value] as number) + 1;
    if (value < this.value) this.#below++;
    this.#settle();
  }

  /** The smallest load that at least `rank` loads do not exceed. */
  #settle(): void {
    const counts = this.#counts;
    const rank = Math.max(1, Math.ceil(this.#ratio * this.#count));
    while (this.#below >= rank) this.#below -= counts[--this.value] as number;
    while (this.#below + (counts[this.value] as number) < rank)
      this.#below += counts[this.value++] as number;
  }
}
