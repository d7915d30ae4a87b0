import type { Scheduler } from '@evenkeel/core';

/** Waits for something, but not for ever. @returns did it come in time, and was it no failure? */
export function within(
  scheduler: Scheduler,
  event: Promise<unknown>,
  limitMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const held = scheduler.hold();
    const settle = (inTime: boolean): void => {
      held.cancel();
      timer.cancel();
      resolve(inTime);
    };
    const timer = scheduler.after(limitMs, () => settle(false));
    event.then(
      () => settle(true),
      () => settle(false),
    );
  });
}
