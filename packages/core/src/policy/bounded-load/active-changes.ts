/** Changes kept. A group that picks less often than that many requests start and end sums its members anew. */
const CAPACITY = 1024;

/**
 * The latest starts and ends of requests, by slot, in the order in which they happened. Every group of members reads
 * them at its own pace, so that one event costs the same however many groups there are.
 */
export class ActiveChanges {
  /** Changes ever noted. */
  count = 0;
  /** A start as its slot, an end as the complement of it. */
  readonly #entries = new Int32Array(CAPACITY);

  /** A request started (1) or ended (-1) on a slot. */
  add(slot: number, change: 1 | -1): void {
    this.#entries[this.count % CAPACITY] = change === 1 ? slot : ~slot;
    this.count++;
  }

  /** Are all changes from number `from` on still known? */
  reachesBackTo(from: number): boolean {
    return this.count - from <= CAPACITY;
  }

  /** The change of a number: a slot for a start, the complement of one for an end. */
  at(index: number): number {
    return this.#entries[index % CAPACITY] as number;
  }
}
