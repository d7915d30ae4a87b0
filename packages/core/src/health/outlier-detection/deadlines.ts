import type { Runtime } from '../../runtime/runtime.ts';
import type { Timer } from '../../runtime/scheduler.ts';

/** A timer may fire a little early; what is left is waited for in steps of at least this much. */
const MIN_DELAY_MS = 1;

/**
 * Points in time for slots, served by a single timer that is set to the earliest: a mass ejection makes one timer and
 * not thousands. Setting a point is O(1) unless it becomes the earliest; a timer that fires looks at all points.
 */
export class SlotDeadlines {
  readonly #runtime: Runtime;
  readonly #onDue: (slot: number, nowMs: number) => void;
  readonly #dueMs = new Map<number, number>();
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;

  /** @param onDue called once per point, which is forgotten before the call and may be set anew in it */
  constructor(runtime: Runtime, onDue: (slot: number, nowMs: number) => void) {
    this.#runtime = runtime;
    this.#onDue = onDue;
  }

  /** Sets or moves the point of a slot. */
  set(slot: number, dueMs: number): void {
    this.#dueMs.set(slot, dueMs);
    if (dueMs < this.#timerDueMs) this.#arm(dueMs);
  }

  get(slot: number): number | undefined {
    return this.#dueMs.get(slot);
  }

  /** Forgets the point of a slot. The timer stays: firing once for nothing is cheaper than looking for the next. */
  delete(slot: number): void {
    this.#dueMs.delete(slot);
    if (this.#dueMs.size === 0) this.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    this.#dueMs.clear();
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(MIN_DELAY_MS, dueMs - this.#runtime.clock.nowMs());
    this.#timer = this.#runtime.scheduler.after(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    const nowMs = this.#runtime.clock.nowMs();
    const due: number[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [slot, dueMs] of this.#dueMs) {
      if (dueMs <= nowMs) due.push(slot);
      else nextMs = Math.min(nextMs, dueMs);
    }
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    for (const slot of due) this.#dueMs.delete(slot);
    if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs);
    for (const slot of due) this.#onDue(slot, nowMs);
  }
}
