/**
 * The shared memory of a ring buffer, read in place.
 *
 * Layout (Linux, Documentation/bpf/ringbuf.rst): a page with the consumer's position, which we write; a page with the
 * producer's position; then the data, mapped twice in a row so that a record never has to be put together. A record is
 * a header of 8 bytes (length and two flags) and its content, padded to 8.
 */

/** Set while a program is still filling the record: nothing behind it may be read yet. */
const BUSY = 0x8000_0000;
/** Set on a record that the program gave up. */
const DISCARDED = 0x4000_0000;
const HEADER_BYTES = 8;

export interface RingPages {
  /** The consumer's page, writable. */
  readonly consumer: ArrayBuffer;
  /** The producer's page and the data twice, read-only. */
  readonly producer: ArrayBuffer;
  readonly pageBytes: number;
  /** Size of the ring, a power of two. */
  readonly ringBytes: number;
}

export class RingMemory {
  readonly #consumed: BigInt64Array;
  readonly #produced: BigInt64Array;
  readonly #headers: Uint32Array;
  readonly #data: Uint8Array;
  readonly #mask: number;

  constructor({ consumer, producer, pageBytes, ringBytes }: RingPages) {
    this.#consumed = new BigInt64Array(consumer, 0, 1);
    this.#produced = new BigInt64Array(producer, 0, 1);
    this.#headers = new Uint32Array(producer, pageBytes, (2 * ringBytes) / 4);
    this.#data = new Uint8Array(producer, pageBytes, 2 * ringBytes);
    this.#mask = ringBytes - 1;
  }

  /** Bytes that wait to be read, headers and padding included. */
  get waitingBytes(): number {
    return Number(Atomics.load(this.#produced, 0) - Atomics.load(this.#consumed, 0));
  }

  /**
   * Hands over up to `limit` records, oldest first, each as a view that is valid during the call only. A record counts
   * as read even when the handler throws: it does not get it again. A handler that returns false ends the reading.
   *
   * Loads and stores are atomic, which orders them against the program on another CPU, as arm64 needs.
   *
   * @returns the number of records, discarded ones included; less than `limit` means that none is left
   */
  read(limit: number, handle: (record: Uint8Array) => boolean): number {
    let position = Number(Atomics.load(this.#consumed, 0));
    const end = Number(Atomics.load(this.#produced, 0));
    let count = 0;
    while (position < end && count < limit) {
      const offset = position & this.#mask;
      const header = Atomics.load(this.#headers, offset / 4);
      if (header >= BUSY) break;
      const length = header & ~(BUSY | DISCARDED);
      const start = offset + HEADER_BYTES;
      position += Math.ceil((length + HEADER_BYTES) / 8) * 8;
      count += 1;
      const isDiscarded = (header & DISCARDED) !== 0;
      let goesOn = true;
      try {
        if (!isDiscarded) goesOn = handle(this.#data.subarray(start, start + length));
      } finally {
        // After the handler, or a program could overwrite the record under it.
        Atomics.store(this.#consumed, 0, BigInt(position));
      }
      if (!goesOn) break;
    }
    return count;
  }
}
