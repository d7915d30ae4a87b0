/**
 * One time limit of many requests on one timer. All have the same limit, so those that begin later also end later: a
 * queue in order of arrival is a queue in order of time. Joining and leaving it is a matter of two links, against a
 * timer and three more objects for each request.
 *
 * ```text
 * head ◄──► entry ◄──► entry ◄──► tail
 *  ▲ the timer stands for the head; it may have left before the timer fires
 * ```
 */
import type { Scheduler, Timer } from '../../runtime/scheduler.ts';

/** Something with a time limit. The links and the time belong to the queue. */
export interface Limited {
  limitNext: Limited | undefined;
  limitPrevious: Limited | undefined;
  /** When the time is over; undefined while not in a queue. */
  limitDueMs: number | undefined;
  /** The time is over; the entry has left the queue. */
  onLimit(): void;
}

export class LimitQueue {
  readonly #limitMs: number;
  readonly #scheduler: Scheduler;
  readonly #nowMs: () => number;
  #head: Limited | undefined = undefined;
  #tail: Limited | undefined = undefined;
  #timer: Timer | undefined = undefined;

  /**
   * @param limitMs for every entry; infinity: none is ever called
   * @param nowMs the clock of the times that are passed to {@link push}
   */
  constructor(limitMs: number, scheduler: Scheduler, nowMs: () => number) {
    this.#limitMs = limitMs;
    this.#scheduler = scheduler;
    this.#nowMs = nowMs;
  }

  /** Starts the time of an entry that is in no queue. */
  push(entry: Limited, nowMs: number): void {
    if (this.#limitMs === Number.POSITIVE_INFINITY) return;
    const tail = this.#tail;
    // A clock that stepped back must not break the order.
    entry.limitDueMs = Math.max(
      nowMs + this.#limitMs,
      tail?.limitDueMs ?? Number.NEGATIVE_INFINITY,
    );
    entry.limitPrevious = tail;
    this.#tail = entry;
    if (tail === undefined) this.#head = entry;
    else tail.limitNext = entry;
    this.#timer ??= this.#scheduler.after(this.#limitMs, () => this.#onTimer());
  }

  /** Ends the time of an entry. Does nothing when it is not in the queue. */
  remove(entry: Limited): void {
    if (entry.limitDueMs === undefined) return;
    const { limitNext: next, limitPrevious: previous } = entry;
    if (previous === undefined) this.#head = next;
    else previous.limitNext = next;
    if (next === undefined) this.#tail = previous;
    else next.limitPrevious = previous;
    entry.limitNext = undefined;
    entry.limitPrevious = undefined;
    entry.limitDueMs = undefined;
  }

  /** Cancels the timer; entries that are left are never called. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #onTimer(): void {
    const nowMs = this.#nowMs();
    for (let head = this.#head; head !== undefined && dueOf(head) <= nowMs; head = this.#head) {
      this.remove(head);
      head.onLimit();
    }
    const head = this.#head;
    this.#timer =
      head === undefined
        ? undefined
        : this.#scheduler.after(dueOf(head) - nowMs, () => this.#onTimer());
  }
}

function dueOf(entry: Limited): number {
  return entry.limitDueMs ?? Number.POSITIVE_INFINITY;
}
