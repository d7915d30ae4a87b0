/** One stream: its state (RFC 9113 section 5.1) and its two windows. What it does is up to its session. */
import { Method } from '../hpack/encoder.ts';
import type { ErrorCode, Http2Stream, Http2StreamOwner } from '../http2-stream.ts';
import { SendQueue } from './send-queue.ts';

/** The session, as its streams see it. */
export interface StreamHost {
  sendFields(stream: SessionStream, isEnd: boolean): void;
  sendData(stream: SessionStream, bytes: Buffer, from: number, to: number, isEnd: boolean): boolean;
  consume(stream: SessionStream, byteCount: number): void;
  resetStream(stream: SessionStream, code: ErrorCode): void;
  release(stream: SessionStream): void;
}

/** Hears of nothing: the owner of a stream until it has one. */
export const NOBODY: Http2StreamOwner = {
  onFields: () => undefined,
  onData: () => undefined,
  onTrailers: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};

export class SessionStream implements Http2Stream {
  id: number;
  owner: Http2StreamOwner;
  readonly #host: StreamHost;

  /** Nothing more is to be sent, or has been queued to be. */
  localEnded = false;
  /** The end has been put on the wire. */
  localEndSent = false;
  remoteEnded = false;
  isClosed = false;
  /** Is the final head of the message there? Informational ones come before it. */
  headReceived = false;
  /** Of the request, on the client's side. */
  method: Method = Method.other;
  /** What `content-length` announced, -1 for nothing. */
  expectedBytes = -1;
  receivedBytes = 0;

  /** What the peer takes; below zero after it has changed its mind. */
  sendWindow: number;
  /** What the peer may still send. */
  receiveWindow: number;
  /** Data that the owner has, and has not handed on. */
  unconsumedBytes = 0;
  /** Data that was handed on, and that the peer does not know of. */
  creditBytes = 0;

  readonly queue: SendQueue = new SendQueue();
  /** Encoded trailers that wait for the data before them. */
  trailers: Buffer | undefined = undefined;
  /** Was the owner told to wait? */
  awaitsDrain = false;
  /** Among those whose turn to send will come. */
  isReady = false;
  /** Since when nothing could be sent, by the watch of the session. */
  stalledAtMs: number = Number.POSITIVE_INFINITY;
  sentSinceReview = false;

  isHeld = false;

  constructor(host: StreamHost, id: number, owner: Http2StreamOwner) {
    this.#host = host;
    this.id = id;
    this.owner = owner;
    this.sendWindow = 0;
    this.receiveWindow = 0;
  }

  sendFields(isEnd: boolean): void {
    this.#host.sendFields(this, isEnd);
  }

  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  sendData(bytes: Buffer, from: number, to: number, isEnd: boolean): boolean {
    return this.#host.sendData(this, bytes, from, to, isEnd);
  }

  consume(byteCount: number): void {
    this.#host.consume(this, byteCount);
  }

  reset(code: ErrorCode): void {
    this.#host.resetStream(this, code);
  }

  hold(): void {
    if (!this.isClosed) this.isHeld = true;
  }

  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.#host.release(this);
  }
}
