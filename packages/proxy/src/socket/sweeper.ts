/**
 * Time limits of many connections with one timer: whoever has a limit keeps it as a number, and one tick looks at all of
 * them. Setting and moving a limit costs an assignment; a limit is noticed up to a tick late.
 */
import type { Runtime, Timer } from '@evenkeel/core';

/** Something with a time limit. */
export interface Timed {
  /** When the limit passes; `Infinity` for none. May change at any time. */
  dueAtMs: number;
  /** Its place in the sweeper; nobody else touches it. */
  sweepIndex: number;
  /** The limit has passed. It has to be moved, or the owner removed. */
  onDue(nowMs: number): void;
}

/** Ten ticks a second: limits are seconds, and 10,000 connections cost 0.1 ms of each tick. */
const TICK_MS = 100;

export class Sweeper {
  readonly #runtime: Pick<Runtime, 'clock' | 'scheduler'>;
  readonly #timed: Timed[] = [];
  #timer: Timer | undefined = undefined;
  /** When the last tick was. */
  #tickAtMs = 0;

  constructor(runtime: Pick<Runtime, 'clock' | 'scheduler'>) {
    this.#runtime = runtime;
  }

  /**
   * When a limit that begins now passes, without a look at the clock: counted from the tick that comes, so it is never
   * early, and up to two ticks late. For limits that are set per request and hardly ever pass.
   */
  dueAfter(limitMs: number): number {
    return this.#tickAtMs + TICK_MS + limitMs;
  }

  get size(): number {
    return this.#timed.length;
  }

  add(timed: Timed): void {
    timed.sweepIndex = this.#timed.length;
    this.#timed.push(timed);
    if (this.#timer !== undefined) return;
    this.#tickAtMs = this.#runtime.clock.nowMs();
    this.#timer = this.#runtime.scheduler.after(TICK_MS, () => this.#tick());
  }

  /** Idempotent. */
  remove(timed: Timed): void {
    const index = timed.sweepIndex;
    if (this.#timed[index] !== timed) return;
    const last = this.#timed.pop() as Timed;
    if (last !== timed) {
      this.#timed[index] = last;
      last.sweepIndex = index;
    }
    timed.sweepIndex = -1;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timed.length = 0;
  }

  #tick(): void {
    const nowMs = this.#runtime.clock.nowMs();
    this.#tickAtMs = nowMs;
    const timed = this.#timed;
    // Backwards, because whoever is removed is replaced by the last one.
    for (let index = timed.length - 1; index >= 0; index--) {
      const one = timed[index];
      if (one !== undefined && one.dueAtMs <= nowMs) one.onDue(nowMs);
    }
    this.#timer =
      timed.length === 0 ? undefined : this.#runtime.scheduler.after(TICK_MS, () => this.#tick());
  }
}
