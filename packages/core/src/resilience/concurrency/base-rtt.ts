/**
 * The time that an answer takes when nothing queues, as a slow average.
 *
 * It must not learn from a queue that the limiter itself keeps standing, or the queue would become the norm, the limit
 * grow, the queue with it, and so on without end. So times measured while the limit was reached only pull it down. What
 * makes it go up are times below the limit, and measurements on purpose (`rebase`).
 */
export class BaseRtt {
  readonly #factor: number;
  #ms = 0;
  #samples = 0;

  /** @param window samples that the average looks back on */
  constructor(window: number) {
    // The usual factor of an exponential average over n samples.
    this.#factor = 2 / (window + 1);
  }

  /** Milliseconds; 0 before the first sample. */
  get ms(): number {
    return this.#ms;
  }

  /** @param atLimit were as many requests in flight as the limit allows, so that some may have queued? */
  learn(rttMs: number, atLimit: boolean): void {
    if (this.#samples < WARM_UP) {
      // A plain mean of the first samples, or the first one would rule for hundreds.
      this.#samples++;
      this.#ms += (rttMs - this.#ms) / this.#samples;
    } else if (!atLimit || rttMs < this.#ms) {
      this.#ms += (rttMs - this.#ms) * this.#factor;
    }
  }

  /** Forgets a part of what was learnt. @param ratio what is left, below 1 */
  shrink(ratio: number): void {
    this.#ms *= ratio;
  }

  /** Takes a measurement made without a queue. */
  rebase(rttMs: number): void {
    this.#ms = rttMs;
    this.#samples = WARM_UP;
  }
}

const WARM_UP = 10;
