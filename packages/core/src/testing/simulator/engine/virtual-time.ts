import type { Clock } from '../../../runtime/clock.ts';
import type { Scheduler, Timer } from '../../../runtime/scheduler.ts';

/** Where a scheduler puts its timers: the queue of the simulation. */
export interface TimerQueue {
  /** Calls `VirtualTime.run(task)` at this time. */
  putTask(timeMs: number, task: number): void;
}

/** 2030-01-01 UTC: the date of the start of a run, for whatever asks for one. */
const EPOCH_MS = 1_893_456_000_000;

/** Clock and timers of a simulation: the ports through which clusters see its time. */
export class VirtualTime implements Clock, Scheduler {
  /** Moved by the simulation alone. */
  timeMs = 0;
  readonly #queue: TimerQueue;
  readonly #tasks: ((() => void) | undefined)[] = [];
  readonly #free: number[] = [];
  #soon: (() => void)[] = [];

  constructor(queue: TimerQueue) {
    this.#queue = queue;
  }

  nowMs(): number {
    return this.timeMs;
  }

  wallMs(): number {
    return EPOCH_MS + this.timeMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const place = this.#free.pop() ?? this.#tasks.length;
    this.#tasks[place] = task;
    this.#queue.putTask(this.timeMs + Math.max(0, delayMs), place);
    return {
      // The event stays in the queue, and the place with it, until its time comes.
      cancel: () => {
        if (this.#tasks[place] === task) this.#tasks[place] = undefined;
      },
    };
  }

  /** Runs before the time moves on. */
  soon(task: () => void): void {
    this.#soon.push(task);
  }

  /** There is no process to keep alive. */
  hold(): Timer {
    return { cancel: () => undefined };
  }

  /** The time of a task has come. */
  run(place: number): void {
    const task = this.#tasks[place];
    this.#tasks[place] = undefined;
    this.#free.push(place);
    task?.();
  }

  /** Is anything to be done before the time moves on? */
  get hasSoon(): boolean {
    return this.#soon.length > 0;
  }

  runSoon(): void {
    while (this.#soon.length > 0) {
      const tasks = this.#soon;
      this.#soon = [];
      for (const task of tasks) task();
    }
  }
}
