/** What comes as data and trailers of HTTP/2, as a body of HTTP/1.1 for the engine. */
import { ascii } from '../../http1/byte-class.ts';
import type { StreamOwner } from '../../socket/byte-stream.ts';
import type { FieldBlock } from '../http2-stream.ts';
import { Framing } from './framing.ts';
import { HeadBuffer } from './head-buffer.ts';

const CRLF = ascii('\r\n');
const COLON_SP = ascii(': ');
const END = ascii('0\r\n\r\n');
const LAST_CHUNK = ascii('0\r\n');

/** Used up by the engine before the call that hands it over returns. */
const buffer = new HeadBuffer();

/** Gets the bytes; they are good until its call returns. */
export type BytesTaker = Pick<StreamOwner, 'onBytes'>;

export class InboundBody {
  #framing: Framing = Framing.none;
  #left = 0;

  begin(framing: Framing, contentLength: number): void {
    this.#framing = framing;
    this.#left = framing === Framing.length ? contentLength : 0;
  }

  /**
   * Hands data to the engine. In the same call what ends the body, so that it goes on in one piece.
   *
   * @returns false when it is more than was announced, or less: what is too much would be the next message
   */
  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  deliver(owner: BytesTaker, bytes: Buffer, from: number, to: number, isEnd: boolean): boolean {
    const count = to - from;
    switch (this.#framing) {
      case Framing.none:
        return count === 0;
      case Framing.length:
        if (count > this.#left || (isEnd && count < this.#left)) return false;
        this.#left -= count;
        if (count > 0) owner.onBytes(bytes, from, to);
        return true;
      case Framing.raw:
        if (count > 0) owner.onBytes(bytes, from, to);
        return true;
      case Framing.chunked:
        buffer.begin();
        if (count > 0) buffer.text(count.toString(16)).put(CRLF).data(bytes, from, to).put(CRLF);
        if (isEnd) buffer.put(END);
        if (buffer.length > 0) owner.onBytes(buffer.bytes, 0, buffer.length);
        return true;
    }
  }

  /** The end, with trailers; they are lost where the body has a length. @returns as {@link deliver} */
  finish(owner: BytesTaker, block: FieldBlock): boolean {
    if (this.#framing !== Framing.chunked) return this.deliver(owner, block.bytes, 0, 0, true);
    buffer.begin().put(LAST_CHUNK);
    const { bytes, count } = block;
    for (let field = block.firstRegular; field < count; field++)
      buffer
        .token(bytes, block.nameFrom(field), block.nameTo(field))
        .put(COLON_SP)
        .value(bytes, block.valueFrom(field), block.valueTo(field))
        .put(CRLF);
    buffer.put(CRLF);
    if (buffer.isBroken) return false;
    owner.onBytes(buffer.bytes, 0, buffer.length);
    return true;
  }
}
