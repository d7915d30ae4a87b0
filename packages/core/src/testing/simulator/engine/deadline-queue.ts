/**
 * Time limits of requests that all have the same length: they fall due in the order in which they were set, so a ring
 * does what would otherwise be the largest part of a heap.
 */
export class DeadlineQueue {
  /** When the oldest falls due; Infinity when there is none. */
  nextMs: number = Number.POSITIVE_INFINITY;
  /** Of the limit that {@link take} took: the request, and the serial number that says whether it is still that one. */
  request = 0;
  serial = 0;

  #dueMs = new Float64Array(1024);
  #requests = new Int32Array(1024);
  #serials = new Int32Array(1024);
  #first = 0;
  #size = 0;

  /** `dueMs` must not lie before that of an earlier call. */
  put(dueMs: number, request: number, serial: number): void {
    if (this.#size === this.#dueMs.length) this.#grow();
    const at = (this.#first + this.#size++) & (this.#dueMs.length - 1);
    this.#dueMs[at] = dueMs;
    this.#requests[at] = request;
    this.#serials[at] = serial;
    if (this.#size === 1) this.nextMs = dueMs;
  }

  /** Takes the oldest out. There must be one. */
  take(): void {
    this.request = this.#requests[this.#first] as number;
    this.serial = this.#serials[this.#first] as number;
    this.#first = (this.#first + 1) & (this.#dueMs.length - 1);
    this.#size--;
    this.nextMs = this.#size > 0 ? (this.#dueMs[this.#first] as number) : Number.POSITIVE_INFINITY;
  }

  #grow(): void {
    const { length } = this.#dueMs;
    const dueMs = new Float64Array(length * 2);
    const requests = new Int32Array(length * 2);
    const serials = new Int32Array(length * 2);
    for (let step = 0; step < this.#size; step++) {
      const at = (this.#first + step) & (length - 1);
      dueMs[step] = this.#dueMs[at] as number;
      requests[step] = this.#requests[at] as number;
      serials[step] = this.#serials[at] as number;
    }
    this.#dueMs = dueMs;
    this.#requests = requests;
    this.#serials = serials;
    this.#first = 0;
  }
}
