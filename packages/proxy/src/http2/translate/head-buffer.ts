/** Where a head of HTTP/1.1 is put together out of fields: grows, and is used again and again. */
import { CR, LF, TOKEN } from '../../http1/byte-class.ts';

const INITIAL_BYTES = 16_384;

export class HeadBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;
  /** Was something put in that would have broken a line, or a name that is none? */
  isBroken = false;

  begin(): this {
    this.length = 0;
    this.isBroken = false;
    return this;
  }

  put(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    const target = this.bytes;
    let at = this.length;
    for (let index = 0; index < bytes.length; index++) target[at++] = bytes[index] as number;
    this.length = at;
    return this;
  }

  /** Text of one byte per character. */
  text(text: string): this {
    this.#reserve(text.length);
    this.length += this.bytes.write(text, this.length, 'latin1');
    return this;
  }

  /**
   * The value of a field. Whoever hands it over should have looked at it; but a line end that got through here would be
   * another field, or another request.
   */
  value(source: Buffer, from: number, to: number): this {
    this.#reserve(to - from);
    const target = this.bytes;
    let at = this.length;
    for (let index = from; index < to; index++) {
      const byte = source[index] as number;
      if (byte === CR || byte === LF || byte === 0) this.isBroken = true;
      target[at++] = byte;
    }
    this.length = at;
    return this;
  }

  /** The name of a field, or a method. */
  token(source: Buffer, from: number, to: number): this {
    this.#reserve(to - from);
    const target = this.bytes;
    let at = this.length;
    if (from === to) this.isBroken = true;
    for (let index = from; index < to; index++) {
      const byte = source[index] as number;
      if (TOKEN[byte] !== 1) this.isBroken = true;
      target[at++] = byte;
    }
    this.length = at;
    return this;
  }

  /** Bytes of a body. */
  data(source: Buffer, from: number, to: number): this {
    this.#reserve(to - from);
    source.copy(this.bytes, this.length, from, to);
    this.length += to - from;
    return this;
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
