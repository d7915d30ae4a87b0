/** A request that is gathered before an endpoint is asked. */
import type { Target } from './route.ts';

/** A chunk of one byte is six bytes with its framing; and there is a head. */
const FRAMING_FACTOR = 8;
const HEAD_BYTES = 65_536;

export class RequestBuffer {
  readonly target: Target;
  readonly #parts: Buffer[];
  #byteCount: number;

  /** @param head with what of the body came with it */
  constructor(target: Target, head: Buffer) {
    this.target = target;
    this.#parts = [head];
    this.#byteCount = head.length;
  }

  /** @returns false when it is more than any framing, or filter, makes of the most that a body may have */
  add(bytes: Buffer): boolean {
    this.#byteCount += bytes.length;
    const maxBytes = this.target.features?.bufferBytes ?? 0;
    if (this.#byteCount > FRAMING_FACTOR * maxBytes + HEAD_BYTES) return false;
    this.#parts.push(bytes);
    return true;
  }

  message(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
