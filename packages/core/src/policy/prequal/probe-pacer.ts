/** Probes that may go out at once after a pause, as a length of time. */
const BURST_MS = 50;

/** Decides how many probes go with a request: so many per request on average, and at most so many per second. */
export class ProbePacer {
  readonly #perRequest: number;
  readonly #intervalMs: number;
  #credit = 0;
  /** When the next probe may go out. */
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(perRequest: number, maxPerSecond: number) {
    this.#perRequest = perRequest;
    this.#intervalMs = 1_000 / maxPerSecond;
  }

  /** A request went out. @returns how many probes are to go with it */
  take(nowMs: number): number {
    this.#credit += this.#perRequest;
    if (this.#credit < 1) return 0;
    const count = Math.floor(this.#credit);
    this.#credit -= count;
    // Time that was set back must not stop probes for long: what is due later than a burst from now is due now.
    const earliestMs = nowMs - BURST_MS;
    if (this.#nextMs < earliestMs || this.#nextMs > nowMs + BURST_MS) this.#nextMs = earliestMs;
    const allowed = Math.min(count, Math.ceil((nowMs - this.#nextMs) / this.#intervalMs));
    if (allowed <= 0) return 0;
    this.#nextMs += allowed * this.#intervalMs;
    return allowed;
  }

  /** An endpoint told its load unasked: half a request's probes are spared, but never those of another request. */
  spare(): void {
    this.#credit = Math.max(this.#credit - this.#perRequest / 2, -this.#perRequest);
  }
}
