/**
 * What a session of HTTP/2 (RFC 9113) and those who use it say to each other. A session speaks frames, HPACK, flow
 * control and limits; what fields mean, and that they make a message, is its user's.
 */
import type { ByteStream } from '../socket/byte-stream.ts';

/** RFC 9113 section 7. */
export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** A decoded field block: good until the call that hands it over returns. One per session, used again and again. */
export interface FieldBlock {
  readonly count: number;
  /** Holds all names and values. */
  readonly bytes: Buffer;
  nameFrom(field: number): number;
  nameTo(field: number): number;
  valueFrom(field: number): number;
  valueTo(field: number): number;
}

/** A field block to be sent, written field by field; one per session. */
export interface FieldWriter {
  /** Forgets what was written. */
  begin(): this;
  /** @param name in lower case @param isSecret never put into a table (RFC 7541 section 7.1.3) */
  text(name: string, value: string, isSecret?: boolean): this;
  /** The same from bytes; upper case in the name is made lower. */
  bytes(source: Buffer, place: FieldPlace, isSecret?: boolean): this;
}

export interface FieldPlace {
  readonly nameFrom: number;
  readonly nameTo: number;
  readonly valueFrom: number;
  readonly valueTo: number;
}

/** Hears what comes on one stream, in this order: fields, data, trailers; and one of the ends. */
export interface Http2StreamOwner {
  /** Fields of a request, or of a response: informational ones and then the final one. @param isEnd no body follows */
  onFields(block: FieldBlock, isEnd: boolean): void;
  /** Bytes good until the call returns. They count against the window until {@link Http2Stream.consume}. */
  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  onData(bytes: Buffer, from: number, to: number, isEnd: boolean): void;
  onTrailers(block: FieldBlock): void;
  /** What is queued has been sent: more may be written. */
  onDrain(): void;
  /** The last event of every stream, once. @param code `noError` when both sides ended it */
  onClose(code: ErrorCode): void;
}

/** One stream, as its user drives it. Calls on a closed stream do nothing. */
export interface Http2Stream {
  readonly id: number;
  owner: Http2StreamOwner;
  /** Sends what the session's field writer holds: a head, or trailers with `isEnd`. */
  sendFields(isEnd: boolean): void;
  /** Copies. @returns may more be written at once? If not, `onDrain` follows */
  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  sendData(bytes: Buffer, from: number, to: number, isEnd: boolean): boolean;
  /** So many bytes of data have been handed on: the peer may send as many more. */
  consume(byteCount: number): void;
  /** Breaks it off with RST_STREAM. */
  reset(code: ErrorCode): void;
}

/** What a session tells its owner. */
export interface Http2SessionOwner {
  /** Server: a new stream, before its fields. @returns who hears of it */
  onStream(stream: Http2Stream): Http2StreamOwner;
  /** Client: no new streams on this session. Streams above `lastStreamId` were closed with `refusedStream`. */
  onGoaway(lastStreamId: number, code: ErrorCode): void;
  /** Client: the peer's settings are there, at first and whenever they change. */
  onSettings(): void;
  /** The number of open streams is 0, or is not any more. */
  onIdleChange(isIdle: boolean): void;
  /** The last event; all streams were closed before. */
  onClose(error: Error | undefined): void;
}

/** One connection. It is the owner of its byte stream. */
export interface Http2Session {
  readonly stream: ByteStream;
  readonly fields: FieldWriter;
  readonly openCount: number;
  /** Client: may another stream be opened now? */
  readonly canOpen: boolean;
  /** Client: opens a stream; its id is given when its fields are sent. */
  open(owner: Http2StreamOwner): Http2Stream;
  /** No new streams of the peer; those that are open are finished, and the connection closes after them. */
  drain(): void;
  /** GOAWAY with the code, and the end of the connection. */
  fail(code: ErrorCode): void;
  /** All that was written since the last turn goes out in one write; the session calls it itself at the end of a turn. */
  flush(): void;
}
