/** Something that waits for its turn. */
export interface QueuedRun {
  /** Runs to its end; must not reject. */
  run(): Promise<void>;
}

/**
 * Lets a limited number of checks run at the same time; the others wait in the order in which they came, so that slow
 * endpoints can delay the rest but never starve anyone.
 */
export class CheckQueue {
  readonly #limit: number;
  /** A set keeps the order and lets a run leave from the middle. */
  readonly #waiting = new Set<QueuedRun>();
  #runningCount = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get runningCount(): number {
    return this.#runningCount;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Runs it now or when its turn comes. It must not be waiting or running already. */
  enter(run: QueuedRun): void {
    this.#waiting.add(run);
    this.#startNext();
  }

  /** Takes it out again, if it still waits. */
  leave(run: QueuedRun): void {
    this.#waiting.delete(run);
  }

  #startNext(): void {
    while (this.#runningCount < this.#limit) {
      const next = this.#waiting.values().next();
      if (next.done === true) return;
      this.#waiting.delete(next.value);
      this.#runningCount++;
      void next.value.run().finally(() => {
        this.#runningCount--;
        this.#startNext();
      });
    }
  }
}
