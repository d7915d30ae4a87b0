/** Fewest picks between two sums over all members. */
const MIN_PICKS_PER_SUM = 64;

/**
 * Requests in flight on all members together, without a sum per pick: starts and ends are counted as they happen.
 *
 * That misses what other threads do to a shared load table, so every so many picks the table is summed anew: at least
 * as many as there are members, which makes it a constant cost per pick. In one thread the sum never differs.
 */
export class ActiveTotal {
  #active: Int32Array = new Int32Array(0);
  #slots: Int32Array = new Int32Array(0);
  /** 1 for the slot of a member: requests on endpoints that are draining or ejected count for nothing. */
  #isMember = new Uint8Array(0);
  #value = 0;
  #picksLeft = 0;

  /** Requests in flight, as far as known. */
  get value(): number {
    return this.#value;
  }

  /** Takes new members. @param active of the load table, by slot */
  reset(active: Int32Array, slots: Int32Array): void {
    this.#active = active;
    this.#slots = slots;
    this.#isMember = new Uint8Array(active.length);
    for (const slot of slots) this.#isMember[slot] = 1;
    this.#sum();
  }

  /** A request started (1) or ended (-1) on a slot. */
  add(slot: number, change: 1 | -1): void {
    if (this.#isMember[slot] === 1) this.#value += change;
  }

  /** The value for a pick. */
  take(): number {
    if (--this.#picksLeft < 0) this.#sum();
    return this.#value;
  }

  #sum(): void {
    let sum = 0;
    for (const slot of this.#slots) sum += this.#active[slot] as number;
    this.#value = sum;
    this.#picksLeft = Math.max(MIN_PICKS_PER_SUM, this.#slots.length);
  }
}
