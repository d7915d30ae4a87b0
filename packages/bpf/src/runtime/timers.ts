/** The only timers of this package, behind a port: tests drive readers by hand. */
export interface Timers {
  /**
   * Calls `work` once, no sooner than in `delayMs`; 0 means in the next turn of the event loop.
   *
   * @param keepAlive whether the process stays alive for it
   * @returns cancels it
   */
  after(delayMs: number, work: () => void, keepAlive: boolean): () => void;
}

export const systemTimers: Timers = {
  after(delayMs, work, keepAlive) {
    if (delayMs <= 0) {
      const immediate = setImmediate(work);
      if (!keepAlive) immediate.unref();
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(work, delayMs);
    if (!keepAlive) timer.unref();
    return () => clearTimeout(timer);
  },
};
