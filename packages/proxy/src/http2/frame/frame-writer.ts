/**
 * Puts frames together in a buffer that many sessions take turns with: one that has nothing to send has none, and a
 * write to a socket that keeps up is over when it returns.
 */
import type { ByteStream } from '../../socket/byte-stream.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType } from './frame-type.ts';

/** A read of 64 KiB, cut into frames, and some heads. */
const BUFFER_BYTES = 81_920;
/** Most buffers kept for later: as many sessions can have something to send in one turn without a new one. */
const MAX_SPARE = 64;

const spare: Buffer[] = [];

export class FrameWriter {
  #buffer: Buffer | undefined = undefined;
  /** Bytes that wait to be sent. */
  length = 0;

  /** Begins a frame; its payload has to follow. */
  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  head(length: number, type: number, flags: number, streamId: number): void {
    const buffer = this.#reserve(FRAME_HEAD_BYTES + length);
    const at = this.length;
    buffer[at] = length >>> 16;
    buffer[at + 1] = length >>> 8;
    buffer[at + 2] = length;
    buffer[at + 3] = type;
    buffer[at + 4] = flags;
    buffer[at + 5] = streamId >>> 24;
    buffer[at + 6] = streamId >>> 16;
    buffer[at + 7] = streamId >>> 8;
    buffer[at + 8] = streamId;
    this.length = at + FRAME_HEAD_BYTES;
  }

  /** Bytes of a payload. */
  bytes(source: Buffer, from: number, to: number): void {
    const buffer = this.#reserve(to - from);
    const at = this.length;
    const length = to - from;
    // A call into native code pays only for more than some dozens.
    if (length > 64) source.copy(buffer, at, from, to);
    else
      for (let index = 0; index < length; index++)
        buffer[at + index] = source[from + index] as number;
    this.length = at + length;
  }

  /** A number of 4 bytes of a payload. */
  word(value: number): void {
    const buffer = this.#reserve(4);
    const at = this.length;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
    this.length = at + 4;
  }

  /** A setting: a number of 2 bytes and its value. */
  setting(name: number, value: number): void {
    const buffer = this.#reserve(2);
    buffer[this.length++] = name >>> 8;
    buffer[this.length++] = name;
    this.word(value);
  }

  rstStream(streamId: number, code: number): void {
    this.head(4, FrameType.rstStream, Flag.none, streamId);
    this.word(code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.head(4, FrameType.windowUpdate, Flag.none, streamId);
    this.word(increment);
  }

  goaway(lastStreamId: number, code: number): void {
    this.head(8, FrameType.goaway, Flag.none, 0);
    this.word(lastStreamId);
    this.word(code);
  }

  /** HEADERS with the block, and CONTINUATION where it is longer than the peer takes in one frame. */
  // oxlint-disable-next-line max-params -- per message: an object would be allocated
  headers(
    streamId: number,
    block: { readonly bytes: Buffer; readonly tail: number },
    endFlag: number,
    maxFrameBytes: number,
  ): void {
    const { bytes, tail } = block;
    if (tail <= maxFrameBytes) {
      this.head(tail, FrameType.headers, endFlag | Flag.endHeaders, streamId);
      this.bytes(bytes, 0, tail);
      return;
    }
    this.head(maxFrameBytes, FrameType.headers, endFlag, streamId);
    this.bytes(bytes, 0, maxFrameBytes);
    for (let from = maxFrameBytes; from < tail; from += maxFrameBytes) {
      const to = Math.min(tail, from + maxFrameBytes);
      this.head(
        to - from,
        FrameType.continuation,
        to === tail ? Flag.endHeaders : Flag.none,
        streamId,
      );
      this.bytes(bytes, from, to);
    }
  }

  /** Sends what is there in one write. @returns may more be sent at once? */
  sendTo(stream: ByteStream): boolean {
    const buffer = this.#buffer;
    if (buffer === undefined || this.length === 0) return true;
    // A socket that is behind gets a copy: it would keep the whole buffer for a few bytes, again and again.
    const wasBehind = stream.holdsBytes;
    const bytes = buffer.subarray(0, this.length);
    const more = stream.write(wasBehind ? Buffer.from(bytes) : bytes);
    // "May more be sent?" and "are these bytes still needed?" are two questions.
    if (!wasBehind && stream.holdsBytes) this.#buffer = undefined;
    this.drop();
    return more;
  }

  /** Forgets what was not sent. */
  drop(): void {
    this.length = 0;
    const buffer = this.#buffer;
    this.#buffer = undefined;
    if (buffer !== undefined && buffer.length === BUFFER_BYTES && spare.length < MAX_SPARE)
      spare.push(buffer);
  }

  #reserve(count: number): Buffer {
    const buffer = (this.#buffer ??= spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES));
    const needed = this.length + count;
    if (needed <= buffer.length) return buffer;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
    return larger;
  }
}
