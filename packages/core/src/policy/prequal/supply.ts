/** Requests that the mean looks back on. */
const WINDOW = 64;
/** Most times that an answer is used, however few there are. */
const MAX_USES = 8;
/** Answers that should be left over, as a share of those needed (delta of the paper): 1 doubles them. */
const SURPLUS = 1;

/**
 * How many answers come in for each request, and how often each one may be used in consequence: what comes in has to
 * make up for what is used up.
 *
 *     uses = max(1, (1 + surplus) / ((1 - pool / members) * answers per request - removals per request))
 *
 * An answer is counted less where the pool holds a large part of the members, because it will often replace an older one
 * of the same endpoint (arXiv 2312.10172, section 4). The paper works with the probes it sends; here the answers are
 * counted, so that probes that fail, and load reports that come for nothing, are in it.
 */
export class Supply {
  #answersPerRequest = 0;
  #answers = 0;

  /** An answer came in. */
  answered(): void {
    this.#answers++;
  }

  /** A request went out. */
  requested(): void {
    this.#answersPerRequest += (this.#answers - this.#answersPerRequest) / WINDOW;
    this.#answers = 0;
  }

  get answersPerRequest(): number {
    return this.#answersPerRequest;
  }

  /**
   * @param newRatio share of the answers that do not replace an older one of the same endpoint, 0..1
   * @param removalRatio share of the answers in whose place another one is removed
   * @returns uses of an answer, 1..8; a fraction is to be rounded at random
   */
  usesOf(newRatio: number, removalRatio: number): number {
    const net = (newRatio - removalRatio) * this.#answersPerRequest;
    return net > 0 ? Math.min(MAX_USES, Math.max(1, (1 + SURPLUS) / net)) : MAX_USES;
  }
}
