/**
 * Counts who still uses something that is to go away: requests that began under an older configuration, connections of a
 * cluster that nobody names any more.
 */
export class Usage {
  #count = 0;
  #over: Promise<void> | undefined = undefined;
  #onOver: (() => void) | undefined = undefined;

  /** How many use it at this moment. */
  get count(): number {
    return this.#count;
  }

  enter(): void {
    this.#count++;
  }

  /** Once for every {@link enter}. */
  leave(): void {
    if (--this.#count === 0) this.#onOver?.();
  }

  /**
   * Nobody is expected to enter any more.
   *
   * @returns once the last one has left; the same promise every time
   */
  retire(): Promise<void> {
    this.#over ??= new Promise((resolve) => {
      if (this.#count === 0) resolve();
      else this.#onOver = resolve;
    });
    return this.#over;
  }
}
