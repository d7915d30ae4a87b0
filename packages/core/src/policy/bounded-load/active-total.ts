import type { ActiveChanges } from './active-changes.ts';

/** Fewest picks between two sums over all members. */
const MIN_PICKS_PER_SUM = 64;

/**
 * Requests in flight on all members of a group together, without a sum per pick: the starts and ends since the last one
 * are added.
 *
 * That misses what other threads do to a shared load table, so every so many picks the table is summed anew: at least
 * as many as there are members, which makes it a constant cost per pick. In one thread the sum never differs.
 */
export class ActiveTotal {
  readonly #changes: ActiveChanges;
  readonly #active: Int32Array;
  readonly #slots: Int32Array;
  /** 1 for the slot of a member: requests on endpoints that are draining or ejected count for nothing. */
  readonly #isMember: Uint8Array;
  #value = 0;
  /** Changes that the value contains. */
  #seen = 0;
  #picksLeft = 0;

  /** @param active of the load table, by slot */
  constructor(changes: ActiveChanges, active: Int32Array, slots: Int32Array) {
    this.#changes = changes;
    this.#active = active;
    this.#slots = slots;
    this.#isMember = new Uint8Array(active.length);
    for (const slot of slots) this.#isMember[slot] = 1;
    this.#sum();
  }

  /** Requests in flight, as far as known. */
  get value(): number {
    this.#catchUp();
    return this.#value;
  }

  /** The value for a pick. */
  take(): number {
    if (--this.#picksLeft < 0) this.#sum();
    else this.#catchUp();
    return this.#value;
  }

  #catchUp(): void {
    const changes = this.#changes;
    if (this.#seen === changes.count) return;
    if (!changes.reachesBackTo(this.#seen)) {
      this.#sum();
      return;
    }
    for (let index = this.#seen; index < changes.count; index++) {
      const change = changes.at(index);
      if (change >= 0) {
        if (this.#isMember[change] === 1) this.#value++;
      } else if (this.#isMember[~change] === 1) this.#value--;
    }
    this.#seen = changes.count;
  }

  #sum(): void {
    let sum = 0;
    for (const slot of this.#slots) sum += this.#active[slot] as number;
    this.#value = sum;
    this.#seen = this.#changes.count;
    this.#picksLeft = Math.max(MIN_PICKS_PER_SUM, this.#slots.length);
  }
}
