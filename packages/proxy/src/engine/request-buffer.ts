/** A request that is gathered before an endpoint is asked. */
import type { Target } from './route.ts';

export class RequestBuffer {
  readonly target: Target;
  readonly #parts: Buffer[];
  #left: number;

  /** @param head with what of the body came with it @param maxBytes of the body beside that, its framing included */
  constructor(target: Target, head: Buffer, maxBytes: number) {
    this.target = target;
    this.#parts = [head];
    this.#left = maxBytes;
  }

  /** @returns false when it is too much */
  add(bytes: Buffer): boolean {
    this.#left -= bytes.length;
    if (this.#left < 0) return false;
    this.#parts.push(bytes);
    return true;
  }

  message(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
