import type { Scheduler } from '@evenkeel/core';

/** Resolves after a time, or as soon as nobody waits any more. */
export function held(
  scheduler: Scheduler,
  delayMs: number,
  signal: AbortSignal,
): Promise<undefined> {
  return new Promise((resolve) => {
    const settle = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', settle);
      resolve(undefined);
    };
    const timer = scheduler.after(delayMs, settle);
    if (signal.aborted) settle();
    else signal.addEventListener('abort', settle, { once: true });
  });
}
