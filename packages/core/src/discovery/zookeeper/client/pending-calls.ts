import type { Clock } from '../../../runtime/clock.ts';
import type { Scheduler, Timer } from '../../../runtime/scheduler.ts';

export interface PendingCallsOptions {
  /** Longest time for an answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** A call is late. */
  readonly onLate: () => void;
}

/** A call that waits for its answer. */
export interface PendingCall {
  readonly startMs: number;
  readonly reject: (error: Error) => void;
}

/** Calls of one connection. One timer does for all: answers come in order, so the oldest call is the first to be late. */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  readonly #calls = new Set<PendingCall>();
  #timer: Timer | undefined;

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  add(reject: (error: Error) => void): PendingCall {
    const call = { startMs: this.#options.clock.nowMs(), reject };
    this.#calls.add(call);
    if (this.#timer === undefined) this.#arm();
    return call;
  }

  settled(call: PendingCall): void {
    this.#calls.delete(call);
  }

  /** Rejects all that are left. */
  close(error: Error): void {
    this.#timer?.cancel();
    for (const { reject } of this.#calls) reject(error);
    this.#calls.clear();
  }

  #arm(): void {
    const [oldest] = this.#calls;
    this.#timer = undefined;
    if (oldest === undefined) return;
    const { timeoutMs, clock, scheduler, onLate } = this.#options;
    const delayMs = oldest.startMs + timeoutMs - clock.nowMs();
    if (delayMs <= 0) onLate();
    else this.#timer = scheduler.after(delayMs, () => this.#arm());
  }
}
