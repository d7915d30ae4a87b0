import type { Clock } from '../../../runtime/clock.ts';
import type { Scheduler, Timer } from '../../../runtime/scheduler.ts';

export interface SilenceWatchOptions {
  /** A question is asked after so long without a byte. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Clock time of the last byte. */
  readonly lastReceivedMs: () => number;
  /** Asks something that any answer will do for. */
  readonly ask: () => void;
  readonly onSilent: (quietMs: number) => void;
}

/** Of the interval, for an answer. Above 1: the engine, which gives up after two intervals, is to count the silence. */
const PATIENCE = 1.5;

/**
 * Notices a connection whose other end is gone without a word. After `intervalMs` without a byte it asks, and after
 * one and a half more without any answer it says so, once: 2.5 intervals after the last byte at the latest.
 */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #askedMs: number | undefined;
  #timer: Timer;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#timer = options.scheduler.after(options.intervalMs, () => this.#look());
  }

  close(): void {
    this.#timer.cancel();
  }

  #look(): void {
    const { intervalMs, clock, scheduler, lastReceivedMs, ask, onSilent } = this.#options;
    const nowMs = clock.nowMs();
    const quietMs = nowMs - lastReceivedMs();
    if (this.#askedMs !== undefined && lastReceivedMs() >= this.#askedMs) this.#askedMs = undefined;
    if (this.#askedMs !== undefined && nowMs - this.#askedMs >= intervalMs * PATIENCE) {
      onSilent(quietMs);
      return;
    }
    // Timers of the platform may be early by a part of a millisecond.
    if (this.#askedMs === undefined && quietMs >= intervalMs - 1) {
      this.#askedMs = nowMs;
      ask();
    }
    const delayMs = this.#askedMs === undefined ? intervalMs - quietMs : intervalMs / 2;
    this.#timer = scheduler.after(delayMs, () => this.#look());
  }
}
