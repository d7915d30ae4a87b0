/**
 * Takes a body off one connection and frames it anew for the other. How a body is delimited is never passed on as it
 * came: what the two sides make of it could differ.
 */
import type { Output } from '../socket/output.ts';
import { ascii } from './byte-class.ts';
import { ChunkedReader, ChunkEvent } from './chunked-reader.ts';
import type { FieldIndex } from './field-index.ts';
import { Field } from './known-field.ts';
import { isForbiddenTrailer } from './trailer-rules.ts';

/** How a body is delimited on the way in (RFC 9112 section 6.3). */
export const BodyKind = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];

/** Of a request. @param contentLength -1 for none */
export function bodyKindOf(chunked: boolean, contentLength: number): BodyKind {
  if (chunked) return BodyKind.chunked;
  return contentLength >= 0 ? BodyKind.length : BodyKind.none;
}

const CRLF = ascii('\r\n');
const LAST_CHUNK = ascii('0\r\n');

export class BodyPump {
  kind: BodyKind = BodyKind.none;
  /** Has the whole body been taken? */
  done = true;
  /** What is wrong with a chunked body; 0: nothing. */
  problem = 0;
  /** Body bytes so far, framing not counted. */
  byteCount = 0;
  #left = 0;
  #isRechunked = false;
  #reader: ChunkedReader | undefined = undefined;

  /**
   * Ready for a body.
   *
   * @param length of a body of kind `length`
   * @param rechunk is it chunked on the way out? Otherwise the bytes go out as they are
   */
  begin(kind: BodyKind, length: number, rechunk: boolean): void {
    this.kind = kind;
    this.done = kind === BodyKind.none || (kind === BodyKind.length && length === 0);
    this.problem = 0;
    this.byteCount = 0;
    this.#left = length;
    this.#isRechunked = rechunk;
    if (kind === BodyKind.chunked) {
      this.#reader ??= new ChunkedReader();
      this.#reader.reset();
    }
  }

  /** Those of a complete body, as offsets into {@link trailerBytes}; undefined when there are none. */
  get trailers(): FieldIndex | undefined {
    return this.kind === BodyKind.chunked && this.done ? this.#reader?.trailers : undefined;
  }

  get trailerBytes(): Buffer | undefined {
    return this.#reader?.trailerBytes;
  }

  /** Takes body bytes and adds them to a message. @returns where the body's bytes end, at most `to` */
  // oxlint-disable-next-line max-params -- per read: an object would be allocated
  pump(bytes: Buffer, from: number, to: number, output: Output): number {
    switch (this.kind) {
      case BodyKind.none:
        return from;
      case BodyKind.length: {
        const end = Math.min(to, from + this.#left);
        this.#left -= end - from;
        this.#emit(bytes, from, end, output);
        if (this.#left === 0) this.finish(output);
        return end;
      }
      case BodyKind.untilClose:
        this.#emit(bytes, from, to, output);
        return to;
      case BodyKind.chunked:
        return this.#pumpChunks(bytes, from, to, output);
    }
  }

  /** The end of a body: also of one that goes until the connection closes. */
  finish(output: Output): void {
    this.done = true;
    if (this.#isRechunked) this.putEnd(output);
  }

  /** What ends a chunked message, for bodies that are framed elsewhere. */
  putEnd(output: Output): void {
    output.put(LAST_CHUNK);
    this.#putTrailers(output);
    output.put(CRLF);
  }

  // oxlint-disable-next-line max-params -- per read: an object would be allocated
  #pumpChunks(bytes: Buffer, from: number, to: number, output: Output): number {
    const reader = this.#reader as ChunkedReader;
    let at = from;
    for (;;) {
      const event = reader.next(bytes, at, to);
      at = reader.at;
      switch (event) {
        case ChunkEvent.data:
          this.#emit(bytes, reader.dataFrom, reader.dataTo, output);
          break;
        case ChunkEvent.end:
          this.finish(output);
          return at;
        case ChunkEvent.more:
          return at;
        case ChunkEvent.failed:
          this.problem = reader.problem;
          return at;
      }
    }
  }

  // oxlint-disable-next-line max-params -- per read: an object would be allocated
  #emit(bytes: Buffer, from: number, to: number, output: Output): void {
    if (from === to) return;
    this.byteCount += to - from;
    if (!this.#isRechunked) {
      output.copy(bytes, from, to);
      return;
    }
    putChunk(output, bytes, from, to);
  }

  /** Only fields that nobody frames, routes or authenticates by: those are the ones that this proxy does not know. */
  #putTrailers(output: Output): void {
    if (this.kind !== BodyKind.chunked) return;
    const { trailers, trailerBytes } = this.#reader as ChunkedReader;
    if (trailers === undefined || trailerBytes === undefined) return;
    for (let line = 0; line < trailers.count; line++)
      if (trailers.kind(line) === Field.other && mayPass(trailers, trailerBytes, line))
        output.copy(trailerBytes, trailers.nameFrom(line), trailers.lineEnd(line));
  }
}

/** Some bytes of a body as a chunk; there has to be at least one. */
// oxlint-disable-next-line max-params -- per read: an object would be allocated
export function putChunk(output: Output, bytes: Buffer, from: number, to: number): void {
  output
    .hex(to - from)
    .put(CRLF)
    .copy(bytes, from, to)
    .put(CRLF);
}

function mayPass(trailers: FieldIndex, bytes: Buffer, line: number): boolean {
  const name = bytes.toString('latin1', trailers.nameFrom(line), trailers.nameTo(line));
  return !isForbiddenTrailer(name);
}
