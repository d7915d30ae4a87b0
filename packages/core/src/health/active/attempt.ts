import { messageOf } from '../../error/evenkeel-error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type CheckResult, failed } from './check.ts';

/** One run of a check while it runs. */
export interface Attempt {
  /** What is going on, for the message of a timeout: "connecting", "waiting for the answer" ... */
  step: string;
  readonly settled: boolean;
  /** The first call counts; later ones do nothing. */
  settle(result: CheckResult): void;
}

export interface AttemptLimits {
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * A deadline that fires this late was held up by this process: the event loop was blocked. The answer may lie unread
 * in the socket, because timers run before sockets are read, and healthy endpoints would be blamed all at once.
 */
const LATE_MS = 20;

/**
 * Runs something that must settle exactly once: by a result, by the deadline, or by the signal, whichever is first.
 * A deadline held up by this very process is extended once, by the delay but at most by the timeout.
 *
 * @param start begins the work and returns how to release what it holds; called with the attempt
 * @returns never rejects; what `start` throws is a failure
 */
export function attempt(
  limits: AttemptLimits,
  start: (attempt: Attempt) => () => void,
): Promise<CheckResult> {
  const { runtime, timeoutMs, signal } = limits;
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(failed('aborted'));
      return;
    }
    let release: (() => void) | undefined;
    let settled = false;
    const current: Attempt = {
      step: 'connecting',
      get settled() {
        return settled;
      },
      settle: (result) => {
        if (settled) return;
        settled = true;
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        release?.();
        resolve(result);
      },
    };
    const onAbort = (): void => current.settle(failed('aborted'));
    const expire = (): void => {
      current.settle(failed(`timed out after ${timeoutMs} ms (${current.step})`));
    };
    const dueMs = runtime.clock.nowMs() + timeoutMs;
    let timer = runtime.scheduler.after(timeoutMs, () => {
      const lateMs = runtime.clock.nowMs() - dueMs;
      if (lateMs < LATE_MS) expire();
      else timer = runtime.scheduler.after(Math.min(lateMs, timeoutMs), expire);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      release = start(current);
    } catch (error) {
      current.settle(failed(messageOf(error)));
    }
    // Settled while it started: `release` was not there yet.
    if (settled) release?.();
  });
}
