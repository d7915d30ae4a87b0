/** A pending call. */
export interface Timer {
  /** Idempotent; does nothing once the call has run. */
  cancel(): void;
}

/** Timers as a port. Whoever starts a timer cancels it in its own `close()`. */
export interface Scheduler {
  /** Runs `task` once, not before `delayMs` have passed. Does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` soon, after the current stack, so that several changes can be handled as one. */
  soon(task: () => void): void;
  /**
   * Keeps the process alive until cancelled: for the time in which somebody waits for a promise that only timers and
   * sockets of ours will settle, none of which would keep it alive by itself.
   */
  hold(): Timer;
}

/** setTimeout takes a signed 32-bit delay; anything longer would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemScheduler: Scheduler = {
  after: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    // A library must not hold a finished program open.
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (task) => queueMicrotask(task),
  hold: () => {
    const timer = setInterval(() => undefined, MAX_DELAY_MS);
    return { cancel: () => clearInterval(timer) };
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it aborts. */
export function sleep(scheduler: Scheduler, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = scheduler.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
