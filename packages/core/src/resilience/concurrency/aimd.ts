import { bounded, type LimitAlgorithm, type LimitBounds } from './limit-algorithm.ts';

/** Options of {@link AimdLimit}, checked. */
export interface AimdConfig extends LimitBounds {
  /** What a drop leaves of the limit, 0.5..0.99. Default 0.9. */
  readonly backoffRatio: number;
  /** A time above this counts as a drop, 1 ms..10 min. Default 5,000. */
  readonly timeoutMs: number;
}

/**
 * Additive increase, multiplicative decrease (Chiu and Jain 1989; TCP's congestion avoidance): one more per sample while
 * all goes well, a tenth less when something is refused or late.
 *
 * It needs a server that says "too much" by refusing, or a timeout that stands for it, and then swings between b * M
 * and M, where M is what the server takes before it refuses and b the `backoffRatio`. Several clients that share a
 * server converge to equal parts, which the algorithms that measure delay do not promise.
 */
export class AimdLimit implements LimitAlgorithm {
  readonly #config: AimdConfig;
  #limit: number;

  constructor(config: AimdConfig) {
    this.#config = config;
    this.#limit = bounded(config.initialLimit, config);
  }

  get limit(): number {
    return this.#limit;
  }

  sample(rttMs: number, inFlight: number, dropped: boolean): void {
    const config = this.#config;
    if (dropped || rttMs > config.timeoutMs) {
      // At least one less: at small limits a tenth would not change the whole number that is admitted.
      const lower = Math.min(this.#limit * config.backoffRatio, this.#limit - 1);
      this.#limit = bounded(lower, config);
    } else if (inFlight * 2 >= this.#limit) {
      this.#limit = bounded(this.#limit + 1, config);
    }
  }

  /** Knows nothing of round-trip times but the timeout. */
  rebase(): void {}
}
