import { createRuntime, type Runtime } from '@evenkeel/core';

/** Resolves after a time, or as soon as the signal aborts; the process stays until then. */
export function pause(
  delayMs: number,
  options: { readonly runtime?: Pick<Runtime, 'scheduler'>; readonly stop?: AbortSignal } = {},
): Promise<void> {
  const { runtime = createRuntime(), stop } = options;
  const { promise, resolve } = Promise.withResolvers<void>();
  const hold = runtime.scheduler.hold();
  const end = (): void => {
    timer.cancel();
    hold.cancel();
    stop?.removeEventListener('abort', end);
    resolve();
  };
  const timer = runtime.scheduler.after(delayMs, end);
  stop?.addEventListener('abort', end);
  if (stop?.aborted === true) end();
  return promise;
}
