import type { Clock } from '../runtime/clock.ts';
import { type Logger, silentLogger } from '../runtime/logger.ts';
import { type Random, XorShift128 } from '../runtime/random.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Scheduler, Timer } from '../runtime/scheduler.ts';

interface PendingTask {
  readonly dueMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #wallOffsetMs: number;

  constructor(nowMs = 0, wallMs = 1_893_456_000_000) {
    this.#nowMs = nowMs;
    this.#wallOffsetMs = wallMs - nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  /** Moves the time without running any timer. */
  set(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }
}

/** Timers that run when {@link ManualScheduler.advance} says so, in order of time, then of creation. */
export class ManualScheduler implements Scheduler {
  readonly #clock: ManualClock;
  readonly #pending = new Set<PendingTask>();
  #order = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  after(delayMs: number, task: () => void): Timer {
    const pending = {
      dueMs: this.#clock.nowMs() + Math.max(0, delayMs),
      order: this.#order++,
      task,
    };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  soon(task: () => void): void {
    this.after(0, task);
  }

  /** There is no process to keep alive. */
  hold(): Timer {
    return { cancel: () => undefined };
  }

  /** Timers not yet run: 0 after everything was closed. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** When the next timer is due; undefined when none is. */
  get nextDueMs(): number | undefined {
    return this.#next()?.dueMs;
  }

  /** Moves the clock forward and runs everything that falls due on the way, at its own time. */
  advance(durationMs: number): void {
    const endMs = this.#clock.nowMs() + durationMs;
    for (let next = this.#next(); next !== undefined && next.dueMs <= endMs; next = this.#next()) {
      this.#pending.delete(next);
      this.#clock.set(next.dueMs);
      next.task();
    }
    this.#clock.set(endMs);
  }

  /** As {@link advance}, and lets promises settle after every timer: for code that awaits between timers. */
  async advanceAsync(durationMs: number): Promise<void> {
    const endMs = this.#clock.nowMs() + durationMs;
    await settle();
    for (let next = this.#next(); next !== undefined && next.dueMs <= endMs; next = this.#next()) {
      this.#pending.delete(next);
      this.#clock.set(next.dueMs);
      next.task();
      await settle();
    }
    this.#clock.set(endMs);
  }

  #next(): PendingTask | undefined {
    let next: PendingTask | undefined;
    for (const task of this.#pending) {
      if (
        next === undefined ||
        task.dueMs < next.dueMs ||
        (task.dueMs === next.dueMs && task.order < next.order)
      ) {
        next = task;
      }
    }
    return next;
  }
}

/** A runtime under a test's control. */
export interface ManualRuntime extends Runtime {
  readonly clock: ManualClock;
  readonly scheduler: ManualScheduler;
  readonly random: Random;
}

/** @param options.seed of the random port, default 1 */
export function createManualRuntime(
  options: { seed?: number; logger?: Logger } = {},
): ManualRuntime {
  const clock = new ManualClock();
  return {
    clock,
    scheduler: new ManualScheduler(clock),
    random: new XorShift128(options.seed ?? 1),
    logger: options.logger ?? silentLogger,
  };
}

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 16; turn++) await Promise.resolve();
}
