/** Answers that an estimate rests on. Medians of 15 are so noisy that a policy that trusts them gets worse. */
const SAMPLE_COUNT = 64;

/**
 * What a request would take if it came now: the server's half of Prequal (arXiv 2312.10172, section 4).
 *
 * Every latency is kept with the number of requests that were there, and what it says about now is rescaled to the
 * number that is there now:
 *
 *     latency * (requests now + 1) / (requests then + 1)
 *
 * The estimate is the median of that over the latest 64 answers. Without the rescaling an idle server remembers how slow
 * it was when it was busy, gets no requests for it, and never learns better.
 *
 * A server of c cores is in truth no slower with c requests than with one, so that max(c, n) in the place of n would be
 * the better estimate of a latency. It makes the worse decisions: servers with free cores all look alike, and the next
 * burst finds some of them full. With n the estimate ranks servers as "shortest expected delay" does, (n + 1) / speed,
 * which is the rule to beat, and nobody needs to know c, of which neighbours take a part that changes.
 */
export class LatencyByLoad {
  /** Latency per request in the server, of each answer. */
  readonly #units = new Float64Array(SAMPLE_COUNT);
  readonly #sorted = new Float64Array(SAMPLE_COUNT);
  #next = 0;
  #count = 0;
  /** NaN: to be worked out. */
  #median = Number.NaN;

  /** A request ended well. @param others in the server when it came */
  record(latencyMs: number, others: number): void {
    this.#units[this.#next] = latencyMs / (others + 1);
    this.#next = (this.#next + 1) % SAMPLE_COUNT;
    if (this.#count < SAMPLE_COUNT) this.#count++;
    this.#median = Number.NaN;
  }

  /** Milliseconds for a request that finds so many others there; 0 before the first answer. */
  estimateMs(others: number): number {
    if (this.#count === 0) return 0;
    // The factor of now is the same for all answers, so that the median may be taken before it, once per answer.
    if (Number.isNaN(this.#median)) this.#median = this.#medianUnit();
    return this.#median * (others + 1);
  }

  #medianUnit(): number {
    const sorted = this.#sorted.subarray(0, this.#count);
    sorted.set(this.#units.subarray(0, this.#count));
    sorted.sort();
    return sorted[sorted.length >> 1] as number;
  }
}
