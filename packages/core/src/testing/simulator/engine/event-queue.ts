/**
 * What is to happen, in order of time: a binary heap in typed arrays, so that millions of events cost no object each.
 *
 * An event is a time, a code that says what happens to whom, and a tag. The tag lets the owner of the code recognise an
 * event that was overtaken (a time limit of a request that has ended): such events stay in the heap and are dropped when
 * their turn comes, which is cheaper than finding them.
 */
export class EventQueue {
  /** Time of the next event; Infinity when there is none. */
  nextMs: number = Number.POSITIVE_INFINITY;
  /** Of the event that {@link take} took. */
  code = 0;
  /** Of the event that {@link take} took. */
  tag = 0;

  #size = 0;
  #times = new Float64Array(1024);
  /** Events of one time happen in the order in which they were put in, or runs could not be repeated. */
  #orders = new Float64Array(1024);
  #codes = new Int32Array(1024);
  #tags = new Int32Array(1024);
  #order = 0;

  get size(): number {
    return this.#size;
  }

  put(timeMs: number, code: number, tag: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const order = this.#order++;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // A later order at the same time never overtakes.
      if ((this.#times[parent] as number) <= timeMs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#set(at, timeMs, order, code, tag);
    this.nextMs = this.#times[0] as number;
  }

  /** Takes the next event out; its code and tag are in the fields. There must be one. */
  take(): void {
    this.code = this.#codes[0] as number;
    this.tag = this.#tags[0] as number;
    const last = --this.#size;
    if (last > 0) this.#sinkFromTop(last);
    this.nextMs = last > 0 ? (this.#times[0] as number) : Number.POSITIVE_INFINITY;
  }

  /** The entry at `last` goes where it belongs below the empty top. */
  #sinkFromTop(last: number): void {
    const timeMs = this.#times[last] as number;
    const order = this.#orders[last] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(child + 1, child)) child++;
      const childMs = this.#times[child] as number;
      if (childMs > timeMs || (childMs === timeMs && (this.#orders[child] as number) > order))
        break;
      this.#move(child, at);
      at = child;
    }
    this.#move(last, at);
  }

  #isBefore(a: number, b: number): boolean {
    const timeA = this.#times[a] as number;
    const timeB = this.#times[b] as number;
    return (
      timeA < timeB ||
      (timeA === timeB && (this.#orders[a] as number) < (this.#orders[b] as number))
    );
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#orders[to] = this.#orders[from] as number;
    this.#codes[to] = this.#codes[from] as number;
    this.#tags[to] = this.#tags[from] as number;
  }

  // oxlint-disable-next-line max-params -- the columns of one entry
  #set(at: number, timeMs: number, order: number, code: number, tag: number): void {
    this.#times[at] = timeMs;
    this.#orders[at] = order;
    this.#codes[at] = code;
    this.#tags[at] = tag;
  }

  #grow(): void {
    const length = this.#times.length * 2;
    this.#times = copyOf(this.#times, new Float64Array(length));
    this.#orders = copyOf(this.#orders, new Float64Array(length));
    this.#codes = copyOf(this.#codes, new Int32Array(length));
    this.#tags = copyOf(this.#tags, new Int32Array(length));
  }
}

function copyOf<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
