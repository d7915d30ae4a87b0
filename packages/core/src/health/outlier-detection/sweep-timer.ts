import type { Scheduler, Timer } from '../../runtime/scheduler.ts';

/** Calls back once per interval while it is wanted, with a single timer. */
export class SweepTimer {
  readonly #scheduler: Scheduler;
  readonly #intervalMs: number;
  readonly #onInterval: () => void;
  #timer: Timer | undefined;

  constructor(scheduler: Scheduler, intervalMs: number, onInterval: () => void) {
    this.#scheduler = scheduler;
    this.#intervalMs = intervalMs;
    this.#onInterval = onInterval;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  /** Starts a full interval; does nothing while one is running. */
  start(): void {
    this.#timer ??= this.#scheduler.after(this.#intervalMs, () => {
      this.#timer = undefined;
      // Before the call, so that it may stop what comes next.
      this.start();
      this.#onInterval();
    });
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
