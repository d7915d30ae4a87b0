/** At this place in the heap: nowhere. */
const ABSENT = -1;

/**
 * Small integers ordered by a key that may change: a binary heap with the way back from an id to its place.
 *
 * ```text
 * keys    by id      [ 7.5 | 3.0 | 9.1 | 4.2 ]
 * heap    of ids     [  1  |  3  |  2  |  0  ]        top: id 1, key 3.0
 * places  by id      [  3  |  0  |  2  |  1  ]
 * ```
 */
export class IndexedHeap {
  /** The id with the lowest key; -1 when empty. */
  top: number = ABSENT;
  /** Its key; Infinity when empty. */
  topKey: number = Number.POSITIVE_INFINITY;

  #size = 0;
  #keys: Float64Array;
  #heap: Int32Array;
  #places: Int32Array;

  constructor(capacity: number) {
    this.#keys = new Float64Array(capacity);
    this.#heap = new Int32Array(capacity);
    this.#places = new Int32Array(capacity).fill(ABSENT);
  }

  get size(): number {
    return this.#size;
  }

  /** Makes room for ids 0..capacity-1. */
  grow(capacity: number): void {
    const { length } = this.#keys;
    if (capacity <= length) return;
    const keys = new Float64Array(capacity);
    keys.set(this.#keys);
    this.#keys = keys;
    const heap = new Int32Array(capacity);
    heap.set(this.#heap);
    this.#heap = heap;
    const places = new Int32Array(capacity).fill(ABSENT);
    places.set(this.#places);
    this.#places = places;
  }

  /** Puts an id in, or gives it another key. */
  set(id: number, key: number): void {
    const place = this.#places[id] as number;
    this.#keys[id] = key;
    if (place === ABSENT) this.#rise(this.#size++, id, key);
    else if (place > 0 && (this.#keys[this.#heap[(place - 1) >> 1] as number] as number) > key)
      this.#rise(place, id, key);
    else this.#sink(place, id, key);
    this.#lookAtTop();
  }

  /** Takes an id out; does nothing if it is not there. */
  remove(id: number): void {
    const place = this.#places[id] as number;
    if (place === ABSENT) return;
    this.#places[id] = ABSENT;
    const last = this.#heap[--this.#size] as number;
    if (last !== id) {
      const key = this.#keys[last] as number;
      if (place > 0 && (this.#keys[this.#heap[(place - 1) >> 1] as number] as number) > key)
        this.#rise(place, last, key);
      else this.#sink(place, last, key);
    }
    this.#lookAtTop();
  }

  #lookAtTop(): void {
    const empty = this.#size === 0;
    this.top = empty ? ABSENT : (this.#heap[0] as number);
    this.topKey = empty ? Number.POSITIVE_INFINITY : (this.#keys[this.top] as number);
  }

  #rise(from: number, id: number, key: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentId = this.#heap[parent] as number;
      if ((this.#keys[parentId] as number) <= key) break;
      this.#heap[at] = parentId;
      this.#places[parentId] = at;
      at = parent;
    }
    this.#heap[at] = id;
    this.#places[id] = at;
  }

  #sink(from: number, id: number, key: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      let childId = this.#heap[child] as number;
      if (child + 1 < this.#size) {
        const otherId = this.#heap[child + 1] as number;
        if ((this.#keys[otherId] as number) < (this.#keys[childId] as number)) {
          child++;
          childId = otherId;
        }
      }
      if ((this.#keys[childId] as number) >= key) break;
      this.#heap[at] = childId;
      this.#places[childId] = at;
      at = child;
    }
    this.#heap[at] = id;
    this.#places[id] = at;
  }
}
