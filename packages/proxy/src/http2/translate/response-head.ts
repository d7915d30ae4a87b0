/** The fields of a response of HTTP/2 as a response head of HTTP/1.1, as the engine reads it. */
import { STATUS_CODES } from 'node:http';
import { ascii } from '../../http1/byte-class.ts';
import { Field } from '../../http1/known-field.ts';
import type { FieldBlock } from '../http2-stream.ts';
import { Framing } from './framing.ts';
import { GRPC_TYPE } from './grpc-refusal.ts';
import { HeadBuffer } from './head-buffer.ts';
import { startsWith } from './request-head.ts';

const CHUNKED = ascii('transfer-encoding: chunked\r\n');
const EMPTY = ascii('content-length: 0\r\n');
const SWITCH = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ';
const COLON_SP = ascii(': ');
const CRLF = ascii('\r\n');

/** `HTTP/1.1 200 OK CR LF`, by status. */
const lines: (Uint8Array | undefined)[] = [];

/** What was asked for. */
export interface AskedFor {
  readonly isHead: boolean;
  /** After an extended CONNECT 2xx is the 101 of an upgrade (RFC 8441 section 5); this proves there that it is one. */
  readonly accept: string | undefined;
}

/** One for all streams: used up before the next one is written. */
export class ResponseHeadWriter {
  readonly head: HeadBuffer = new HeadBuffer();
  framing: Framing = Framing.none;

  /** @returns false for a response that cannot be told in HTTP/1.1 */
  write(block: FieldBlock, isEnd: boolean, asked: AskedFor): boolean {
    const { status } = block;
    const head = this.head.begin();
    const isInformational = status < 200;
    // RFC 9113 section 8.6 has no 101.
    if (status < 100 || status > 999 || status === 101 || (isInformational && isEnd)) return false;
    if (asked.accept !== undefined && !isInformational && status < 300) {
      head.put(lineOf(101)).text(`${SWITCH}${asked.accept}\r\n`);
      this.framing = Framing.raw;
      return this.#finish(block, true);
    }
    head.put(lineOf(status));
    const isBodiless = isInformational || status === 204 || status === 304 || asked.isHead;
    this.framing = isBodiless ? Framing.none : this.#framingOf(block, isEnd);
    if (this.framing === Framing.chunked) head.put(CHUNKED);
    else if (this.framing === Framing.none && !isBodiless && block.contentLength < 0)
      head.put(EMPTY);
    const isLength =
      this.framing === Framing.length ||
      (this.framing === Framing.none && !isInformational && status !== 204);
    return this.#finish(block, !isLength) && !(isEnd && !isBodiless && block.contentLength > 0);
  }

  /** Trailers need chunks. They cannot be known beforehand, unless they are announced, or the way of the protocol. */
  #framingOf(block: FieldBlock, isEnd: boolean): Framing {
    if (isEnd) return Framing.none;
    if (block.contentLength < 0) return Framing.chunked;
    for (let field = block.firstRegular; field < block.count; field++) {
      const kind = block.kind(field);
      if (kind === Field.trailer) return Framing.chunked;
      if (kind !== Field.contentType) continue;
      if (startsWith(block.bytes, block.valueFrom(field), block.valueTo(field), GRPC_TYPE))
        return Framing.chunked;
    }
    return Framing.length;
  }

  #finish(block: FieldBlock, dropsLength: boolean): boolean {
    const { head } = this;
    const { bytes, count } = block;
    for (let field = block.firstRegular; field < count; field++) {
      const kind = block.kind(field);
      switch (kind) {
        case Field.connection:
        case Field.keepAlive:
        case Field.proxyConnection:
        case Field.transferEncoding:
        case Field.upgrade:
          continue;
        case Field.contentLength:
          if (dropsLength) continue;
          break;
        default:
      }
      head
        .token(bytes, block.nameFrom(field), block.nameTo(field))
        .put(COLON_SP)
        .value(bytes, block.valueFrom(field), block.valueTo(field))
        .put(CRLF);
    }
    head.put(CRLF);
    return !head.isBroken;
  }
}

function lineOf(status: number): Uint8Array {
  return (lines[status] ??= ascii(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`));
}
