import type { HeadBuffer } from '../translate/head-buffer.ts';
import type { BytesTaker } from '../translate/inbound-body.ts';

/** A head, and what follows it at once: copied, because none of it stays where it is. */
export class Gathering implements BytesTaker {
  length: number;
  readonly #parts: Buffer[];

  constructor({ bytes, length }: HeadBuffer) {
    this.length = length;
    this.#parts = [Buffer.from(bytes.subarray(0, length))];
  }

  onBytes(bytes: Buffer, from: number, to: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(from, to)));
    this.length += to - from;
  }

  take(): Buffer {
    const [first] = this.#parts;
    return this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
  }
}
