import type { Scheduler, Timer } from '../../runtime/scheduler.ts';

/**
 * Turns the windows of any number of circuit breakers with one timer. opossum would start one for each, and a cluster
 * with a breaker per endpoint would have thousands. Runs only while somebody listens.
 */
export class BucketClock {
  readonly #scheduler: Scheduler;
  readonly #intervalMs: number;
  readonly #turns = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(scheduler: Scheduler, intervalMs: number) {
    this.#scheduler = scheduler;
    this.#intervalMs = intervalMs;
  }

  /** Calls `turn` at the end of every interval. @returns a function that ends it */
  add(turn: () => void): () => void {
    this.#turns.add(turn);
    this.#timer ??= this.#start();
    return () => {
      this.#turns.delete(turn);
      if (this.#turns.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  #start(): Timer {
    return this.#scheduler.after(this.#intervalMs, () => {
      this.#timer = this.#start();
      for (const turn of this.#turns) turn();
    });
  }
}
