/** No entry. */
export const NONE = -1;

/**
 * The latest answers to probes, one per endpoint, in no order: a few parallel arrays that a pick reads from end to end.
 *
 * ```text
 *              0      1      2     ...   15
 * slot       [ 7 ]  [ 3 ]  [ 12 ]              one entry for each endpoint
 * others     [ 2 ]  [ 0 ]  [ 9 ]               requests it has from other clients
 * unit       [ 8 ]  [ 11]  [ 10 ]              its latency divided by its requests, in ms
 * badness    [ 1 ]  [ 1 ]  [1.3]               what its errors make of both, as a factor
 * received   [t-3]  [t-9]  [t-1]               forgotten when too old
 * uses       [ 1 ]  [ 2 ]  [ 1 ]               thrown away when used up
 * ```
 *
 * The arrays are never replaced: pickers keep them.
 */
export class ProbePool {
  count = 0;
  readonly slots: Int32Array;
  /** May be negative: some of our own may not have been there yet, or have been on their way back. */
  readonly others: Float64Array;
  readonly unitsMs: Float64Array;
  readonly badness: Float64Array;
  readonly receivedMs: Float64Array;
  readonly uses: Int32Array;

  constructor(capacity: number) {
    this.slots = new Int32Array(capacity);
    this.others = new Float64Array(capacity);
    this.unitsMs = new Float64Array(capacity);
    this.badness = new Float64Array(capacity);
    this.receivedMs = new Float64Array(capacity);
    this.uses = new Int32Array(capacity);
  }

  /**
   * Room for an answer of an endpoint: the place of its older answer, or of the oldest of all when there is no other.
   * @returns where the caller is to write; the slot and the time are there already
   */
  place(slot: number, nowMs: number): number {
    let at = this.indexOf(slot);
    if (at === NONE) {
      if (this.count === this.slots.length) this.removeAt(this.oldest());
      at = this.count++;
    }
    this.slots[at] = slot;
    this.receivedMs[at] = nowMs;
    return at;
  }

  indexOf(slot: number): number {
    const { slots, count } = this;
    for (let at = 0; at < count; at++) if (slots[at] === slot) return at;
    return NONE;
  }

  /** A request of ours went to this endpoint. */
  use(slot: number): void {
    const at = this.indexOf(slot);
    if (at === NONE) return;
    const left = (this.uses[at] as number) - 1;
    if (left > 0) this.uses[at] = left;
    else this.removeAt(at);
  }

  /** Forgets what was received at this time or before. */
  expire(untilMs: number): void {
    const { receivedMs } = this;
    for (let at = this.count - 1; at >= 0; at--)
      if ((receivedMs[at] as number) <= untilMs) this.removeAt(at);
  }

  /** {@link NONE} when there is no entry. */
  oldest(): number {
    const { receivedMs, count } = this;
    let oldest = count === 0 ? NONE : 0;
    for (let at = 1; at < count; at++)
      if ((receivedMs[at] as number) < (receivedMs[oldest] as number)) oldest = at;
    return oldest;
  }

  remove(slot: number): void {
    const at = this.indexOf(slot);
    if (at !== NONE) this.removeAt(at);
  }

  /** The last entry takes the place of the removed one. */
  removeAt(at: number): void {
    const last = --this.count;
    this.slots[at] = this.slots[last] as number;
    this.others[at] = this.others[last] as number;
    this.unitsMs[at] = this.unitsMs[last] as number;
    this.badness[at] = this.badness[last] as number;
    this.receivedMs[at] = this.receivedMs[last] as number;
    this.uses[at] = this.uses[last] as number;
  }
}
