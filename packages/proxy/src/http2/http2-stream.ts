/**
 * What a session of HTTP/2 (RFC 9113) and those who use it say to each other. A session speaks frames, HPACK, flow
 * control and limits; what fields mean, and that they make a message, is its user's.
 */
import type { Field } from '../http1/known-field.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';

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

/** The pseudo-fields, RFC 9113 section 8.3 and RFC 8441 section 4. */
export const Pseudo = {
  method: 0,
  scheme: 1,
  authority: 2,
  path: 3,
  status: 4,
  protocol: 5,
} as const;
export type Pseudo = (typeof Pseudo)[keyof typeof Pseudo];

/**
 * A decoded field block: good until the call that hands it over returns. One per session, used again and again. What
 * RFC 9113 section 8 forbids is not in it: such a message never reaches the owner.
 */
export interface FieldBlock {
  readonly count: number;
  /** The first field that is not a pseudo-field; those come before it. */
  readonly firstRegular: number;
  /** Holds all names and values. */
  readonly bytes: Buffer;
  /** Of a response; 0 otherwise. */
  readonly status: number;
  /** Value of `content-length`, -1 when there is none. */
  readonly contentLength: number;
  /** The pseudo-field's number, -1 when it is not there. */
  pseudo(name: Pseudo): number;
  /** Which known field it is; pseudo-fields are {@link Field.other}. */
  kind(field: number): Field;
  nameFrom(field: number): number;
  nameTo(field: number): number;
  valueFrom(field: number): number;
  valueTo(field: number): number;
}

/**
 * A field block to be sent, written field by field; one per session. From `begin` to `sendFields` nothing else of the
 * session may be called.
 */
export interface FieldWriter {
  /** Begins a head; forgets what was written. */
  begin(): this;
  /** Begins trailers, which may have to wait for the data before them, so that they do without the dynamic table. */
  beginTrailers(): this;
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

/**
 * Hears what comes on one stream, in this order: fields, data, trailers; and one of the ends. `onClose` and `onDrain` may
 * come while a call of the owner's own is under way: the last `sendData` or `reset` closes the stream.
 */
export interface Http2StreamOwner {
  /** Fields of a request, or of a response: informational ones and then the final one. @param isEnd no body follows */
  onFields(block: FieldBlock, isEnd: boolean): void;
  /** Bytes good until the call returns. They count against the window until {@link Http2Stream.consume}. */
  onData(bytes: Buffer, from: number, to: number, isEnd: boolean): void;
  onTrailers(block: FieldBlock): void;
  /** What is queued has been sent: more may be written. */
  onDrain(): void;
  /** All that was sent is on its way, its end too, and the peer has not ended its side. */
  onEndSent?(): void;
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
  sendData(bytes: Buffer, from: number, to: number, isEnd: boolean): boolean;
  /** So many bytes of data have been handed on: the peer may send as many more. */
  consume(byteCount: number): void;
  /** Breaks it off with RST_STREAM. */
  reset(code: ErrorCode): void;
  /**
   * Keeps its place among the concurrent streams after its end, until {@link release}: for as long as work goes on that
   * it caused, or a peer could have any amount of it done by resetting streams as fast as it opens them.
   */
  hold(): void;
  release(): void;
}

/** What a session tells its owner. */
export interface Http2SessionOwner {
  /** Server: a new stream, right before its fields. @returns who hears of it */
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

/** One connection. It is the owner of its byte stream: made first, and given to it; then {@link attach} begins. */
export interface Http2Session extends StreamOwner {
  readonly stream: ByteStream;
  /** Sends preface and settings, at the end of the turn. Before the stream's first event. */
  attach(stream: ByteStream): void;
  readonly fields: FieldWriter;
  readonly openCount: number;
  /** Client: may another stream be opened now? */
  readonly canOpen: boolean;
  /** Client: the peer takes the extended CONNECT of RFC 8441. */
  readonly peerTakesConnectProtocol: boolean;
  /** Client: opens a stream; its id is given when its fields are sent. */
  open(owner: Http2StreamOwner): Http2Stream;
  /** No new streams of the peer; those that are open are finished, and the connection closes after them. */
  drain(): void;
  /** GOAWAY with the code, and the end of the connection. */
  fail(code: ErrorCode): void;
  /** All that was written since the last turn goes out in one write; the session calls it itself at the end of a turn. */
  flush(): void;
}
