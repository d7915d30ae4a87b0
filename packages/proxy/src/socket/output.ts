/**
 * Where a message is put together before it leaves in one write: one buffer for all connections, because a write to a
 * socket that keeps up is over when it returns. Only a socket that does not keep up takes the buffer with it, and the
 * next message gets a new one.
 */
import type { ByteStream } from './byte-stream.ts';

/** A read of 64 KiB, a head, and the framing of many small chunks. */
const INITIAL_BYTES = 98_304;

export class Output {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;

  /** Begins a message. Whatever was not sent is dropped. */
  begin(): this {
    this.length = 0;
    return this;
  }

  /** Adds bytes of a read. */
  copy(source: Buffer, from: number, to: number): this {
    this.#reserve(to - from);
    source.copy(this.#buffer, this.length, from, to);
    this.length += to - from;
    return this;
  }

  /** Adds a few bytes that were prepared; for up to some dozens this is faster than a call into native code. */
  put(bytes: Uint8Array): this {
    const { length } = bytes;
    this.#reserve(length);
    const buffer = this.#buffer;
    const at = this.length;
    for (let index = 0; index < length; index++) buffer[at + index] = bytes[index] as number;
    this.length = at + length;
    return this;
  }

  /** Adds text of one byte per character. */
  text(text: string): this {
    this.#reserve(text.length);
    this.length += this.#buffer.write(text, this.length, 'latin1');
    return this;
  }

  /** Adds a whole number in decimal. */
  decimal(value: number): this {
    return this.text(String(value));
  }

  /** Adds a whole number below 2^31 in hexadecimal. */
  hex(value: number): this {
    this.#reserve(8);
    const buffer = this.#buffer;
    let shift = 28;
    while (shift > 0 && value >>> shift === 0) shift -= 4;
    for (; shift >= 0; shift -= 4)
      buffer[this.length++] = HEX_DIGITS[(value >>> shift) & 15] as number;
    return this;
  }

  /** The message as bytes of its own. */
  take(): Buffer {
    const bytes = Buffer.allocUnsafe(this.length);
    this.#buffer.copy(bytes, 0, 0, this.length);
    return bytes;
  }

  /** Sends the message. @returns may more be sent at once? */
  sendTo(stream: ByteStream): boolean {
    const more = stream.write(this.#buffer.subarray(0, this.length));
    this.length = 0;
    // "May more be sent?" and "are these bytes still needed?" are two questions.
    if (stream.holdsBytes) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return more;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }
}

const HEX_DIGITS: Uint8Array = Buffer.from('0123456789abcdef');
