/** A body of HTTP/1.1 as the engine writes it, as data and trailers of HTTP/2. */
import { ChunkedReader, ChunkEvent } from '../../http1/chunked-reader.ts';
import type { FieldWriter, Http2Stream } from '../http2-stream.ts';
import { Framing } from './framing.ts';
import { placeOf } from './field-place.ts';

const NOTHING = Buffer.alloc(0);

export class OutboundBody {
  /** Has the end of the body been sent? */
  isDone = true;
  /** Did the last data fit into the peer's window? If not, `onDrain` follows. */
  mayGoOn = true;
  #framing: Framing = Framing.none;
  #left = 0;
  #reader: ChunkedReader | undefined = undefined;

  begin(framing: Framing, contentLength: number): void {
    this.#framing = framing;
    this.#left = contentLength;
    this.isDone = framing === Framing.none || (framing === Framing.length && contentLength === 0);
    this.mayGoOn = true;
    if (framing === Framing.chunked) {
      this.#reader ??= new ChunkedReader();
      this.#reader.reset();
    }
  }

  /** Sends what the bytes hold of the body. @returns where the body's bytes end; -1 for what is no body */
  // oxlint-disable-next-line max-params -- per write: an object would be allocated
  send(stream: Http2Stream, fields: FieldWriter, bytes: Buffer, from: number, to: number): number {
    switch (this.#framing) {
      case Framing.none:
        return from;
      case Framing.raw:
        this.mayGoOn = stream.sendData(bytes, from, to, false);
        return to;
      case Framing.length: {
        const end = Math.min(to, from + this.#left);
        this.#left -= end - from;
        this.isDone = this.#left === 0;
        this.mayGoOn = stream.sendData(bytes, from, end, this.isDone);
        return end;
      }
      case Framing.chunked:
        return this.#sendChunks(stream, fields, bytes, from, to);
    }
  }

  /** The end of a body that goes as far as its direction. */
  end(stream: Http2Stream): void {
    if (this.isDone) return;
    this.isDone = true;
    this.mayGoOn = stream.sendData(NOTHING, 0, 0, true);
  }

  // oxlint-disable-next-line max-params -- per write: an object would be allocated
  #sendChunks(
    stream: Http2Stream,
    fields: FieldWriter,
    bytes: Buffer,
    from: number,
    to: number,
  ): number {
    const reader = this.#reader as ChunkedReader;
    let at = from;
    // Held until it is known whether the end follows, so that the last data carries it.
    let dataFrom = 0;
    let dataTo = 0;
    for (;;) {
      const event = reader.next(bytes, at, to);
      at = reader.at;
      switch (event) {
        case ChunkEvent.data:
          if (dataTo > dataFrom) stream.sendData(bytes, dataFrom, dataTo, false);
          dataFrom = reader.dataFrom;
          dataTo = reader.dataTo;
          break;
        case ChunkEvent.more:
          if (dataTo > dataFrom) this.mayGoOn = stream.sendData(bytes, dataFrom, dataTo, false);
          return at;
        case ChunkEvent.end:
          this.isDone = true;
          if (reader.trailers === undefined || reader.trailers.count === 0) {
            this.mayGoOn = stream.sendData(bytes, dataFrom, dataTo, true);
            return at;
          }
          if (dataTo > dataFrom) this.mayGoOn = stream.sendData(bytes, dataFrom, dataTo, false);
          this.#writeTrailers(fields);
          stream.sendFields(true);
          return at;
        case ChunkEvent.failed:
          return -1;
      }
    }
  }

  #writeTrailers(fields: FieldWriter): void {
    const { trailers, trailerBytes } = this.#reader as ChunkedReader;
    if (trailers === undefined || trailerBytes === undefined) return;
    fields.beginTrailers();
    for (let line = 0; line < trailers.count; line++)
      fields.bytes(trailerBytes, placeOf(trailers, line));
  }
}
