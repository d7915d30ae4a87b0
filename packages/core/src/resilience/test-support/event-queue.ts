/** Discrete events in order of time, then of creation: a binary heap, for simulations of many requests. */
export class EventQueue {
  nowMs = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  at(timeMs: number, run: () => void): void {
    const heap = this.#heap;
    let at = heap.length;
    const event = { timeMs: Math.max(timeMs, this.nowMs), order: this.#order++, run };
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** Runs everything due until `endMs`. */
  runUntil(endMs: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.timeMs <= endMs) {
      const event = this.#pop();
      this.nowMs = event.timeMs;
      event.run();
    }
    this.nowMs = endMs;
  }

  #pop(): Event {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
      if (!before(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return top;
  }
}

interface Event {
  readonly timeMs: number;
  readonly order: number;
  readonly run: () => void;
}

function before(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}
