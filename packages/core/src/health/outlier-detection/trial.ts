import { NO_SLOT } from '../../model/pick-context.ts';

/**
 * The slots that wait for their single trial request, first come first served. A slot is in the queue while it waits
 * and leaves it when a request takes the trial; if that request is cancelled, the slot goes to the end, so that one
 * unlucky endpoint does not keep the others waiting.
 *
 * ```text
 * ejection over ---add---> [ 7 | 3 | 9 ] ---take---> 7 is on trial, 3 is next
 *                                  ^--add (cancelled)--'
 * ```
 */
export class TrialQueue {
  /** The slot whose turn it is, or `NO_SLOT`. A plain field: the pick path reads it on every pick. */
  head: number = NO_SLOT;
  /** A set keeps the order of arrival and lets a slot leave from the middle. */
  readonly #waiting = new Set<number>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Puts a slot at the end; does nothing if it waits already. */
  add(slot: number): void {
    this.#waiting.add(slot);
    if (this.head === NO_SLOT) this.head = slot;
  }

  /** Takes the slot whose turn it is, or `NO_SLOT`. */
  take(): number {
    const slot = this.head;
    if (slot !== NO_SLOT) this.remove(slot);
    return slot;
  }

  /** Takes a slot out wherever it stands. */
  remove(slot: number): void {
    if (!this.#waiting.delete(slot) || slot !== this.head) return;
    const next = this.#waiting.values().next();
    this.head = next.done === true ? NO_SLOT : next.value;
  }

  clear(): void {
    this.#waiting.clear();
    this.head = NO_SLOT;
  }
}
