/**
 * Everything that goes out: frames are gathered and leave in one write per turn of the event loop; data waits for
 * windows and for the socket, and streams with data take turns of a frame each (RFC 9113 sections 5.2 and 6.9).
 */
import type { ByteStream } from '../../socket/byte-stream.ts';
import { Flag, FrameType, INITIAL_WINDOW_BYTES, MAX_WINDOW_BYTES } from '../frame/frame-type.ts';
import { FrameWriter } from '../frame/frame-writer.ts';
import type { HpackEncoder } from '../hpack/encoder.ts';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import type { SessionStream } from './session-stream.ts';

/** More than this goes out before the turn ends. */
const FLUSH_BYTES = 65_536;
/** Most bytes of frames that are not data, for a socket that takes none. */
const MAX_QUEUED_BYTES = 1_048_576;
/** Most bytes of a stream's turn, whatever frames the peer takes. */
const TURN_BYTES = 16_384;

export interface SenderOwner {
  /** The end of a stream has been written. */
  onEndSent(stream: SessionStream): void;
  /** Too many frames wait for a peer that does not read. */
  onControlOverflow(): void;
}

export class Sender {
  readonly writer: FrameWriter = new FrameWriter();
  /** What the peer takes of all streams together. */
  window: number = INITIAL_WINDOW_BYTES;
  maxFrameBytes: number = TURN_BYTES;
  /** The socket does not take more for now. */
  isBlocked = false;

  readonly #owner: SenderOwner;
  readonly #encoder: HpackEncoder;
  readonly #turnEnd: TurnEnd;
  readonly #maxQueuedControlFrames: number;
  #stream: ByteStream | undefined = undefined;
  #queuedFrames = 0;
  #isScheduled = false;
  #isPumping = false;
  #isClosed = false;
  /** Streams with data and a window, in the order of their turns. */
  #ready: SessionStream[] = [];
  readonly #onTurnEnd = (): void => {
    this.#isScheduled = false;
    this.flush();
  };
  readonly #write = (bytes: Buffer, from: number, to: number): void =>
    this.writer.bytes(bytes, from, to);

  constructor(
    owner: SenderOwner,
    encoder: HpackEncoder,
    options: { readonly turnEnd: TurnEnd; readonly maxQueuedControlFrames: number },
  ) {
    this.#owner = owner;
    this.#encoder = encoder;
    this.#turnEnd = options.turnEnd;
    this.#maxQueuedControlFrames = options.maxQueuedControlFrames;
  }

  attach(stream: ByteStream): void {
    this.#stream = stream;
  }

  /** Something was written: it goes out at the end of the turn. */
  touch(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#turnEnd(this.#onTurnEnd);
  }

  /** The same for a frame that no window holds back: a peer that reads nothing could have any number of them made. */
  touchControl(): void {
    this.touch();
    if (!this.isBlocked || this.#isClosed) return;
    const { length } = this.writer;
    if (++this.#queuedFrames > this.#maxQueuedControlFrames || length > MAX_QUEUED_BYTES)
      this.#owner.onControlOverflow();
  }

  flush(): void {
    if (this.isBlocked || this.#isClosed || this.#stream === undefined) return;
    if (this.writer.length > 0 && !this.writer.sendTo(this.#stream)) this.isBlocked = true;
  }

  /** The socket takes more. */
  onDrain(): void {
    this.isBlocked = false;
    this.#queuedFrames = 0;
    this.flush();
    this.pump();
  }

  /** Hands over all there is, to be sent when the socket can, and takes nothing more. */
  finish(): void {
    if (this.#isClosed || this.#stream === undefined) return;
    this.writer.sendTo(this.#stream);
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#ready = [];
    this.writer.drop();
  }

  /** Sends the encoder's block. */
  headers(stream: SessionStream, isEnd: boolean): void {
    const endFlag = isEnd ? Flag.endStream : Flag.none;
    this.writer.headers(stream.id, this.#encoder.block, endFlag, this.maxFrameBytes);
    this.#encoder.sent();
    this.touchControl();
    if (isEnd) this.#endSent(stream);
  }

  /** Sends the encoder's block as the whole answer on a stream that nobody has. */
  answer(streamId: number): void {
    this.writer.headers(streamId, this.#encoder.block, Flag.endStream, this.maxFrameBytes);
    this.#encoder.sent();
    this.touchControl();
  }

  /** @returns may more be written at once? */
  // oxlint-disable-next-line max-params -- per frame: an object would be allocated
  data(stream: SessionStream, bytes: Buffer, from: number, to: number, isEnd: boolean): boolean {
    let at = from;
    // Nobody is overtaken: whoever came before and waits, waits for the same window. An end alone needs none.
    if (stream.queue.length === 0 && (this.#ready.length === 0 || from === to)) {
      for (;;) {
        const count = this.#allowed(stream, to - at);
        if (count === 0 && at < to) break;
        const isLast = isEnd && at + count === to;
        if (count > 0 || isLast) this.#dataHead(stream, count, isLast);
        this.writer.bytes(bytes, at, at + count);
        at += count;
        this.#written();
        if (isLast) {
          this.#endSent(stream);
          return true;
        }
        if (at === to) return true;
      }
    }
    stream.queue.push(bytes, at, to);
    stream.awaitsDrain = !isEnd;
    this.makeReady(stream);
    return false;
  }

  /** How much of `wanted` may be sent at once. */
  #allowed(stream: SessionStream, wanted: number): number {
    if (this.isBlocked) return 0;
    const count = Math.min(wanted, this.maxFrameBytes, this.window, stream.sendWindow);
    return count < 0 ? 0 : count;
  }

  #dataHead(stream: SessionStream, count: number, isLast: boolean): void {
    this.writer.head(count, FrameType.data, isLast ? Flag.endStream : Flag.none, stream.id);
    stream.sendWindow -= count;
    this.window -= count;
    stream.sentSinceReview = true;
  }

  #written(): void {
    if (this.writer.length >= FLUSH_BYTES) this.flush();
    else this.touch();
  }

  #endSent(stream: SessionStream): void {
    stream.localEndSent = true;
    this.#owner.onEndSent(stream);
  }

  /** Data was queued, or its window was opened. */
  makeReady(stream: SessionStream): void {
    if (stream.isReady || stream.queue.length === 0 || stream.sendWindow <= 0) return;
    stream.isReady = true;
    this.#ready.push(stream);
  }

  /** Takes a stream out that is closed. */
  drop(stream: SessionStream): void {
    stream.queue.clear();
    stream.trailers = undefined;
    if (!stream.isReady) return;
    stream.isReady = false;
    this.#ready = this.#ready.filter((other) => other !== stream);
  }

  /** Lets streams send, a frame each in turn, while windows and socket allow. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.isBlocked && !this.#isClosed && this.window > 0) {
      const stream = this.#ready.shift();
      if (stream === undefined) break;
      stream.isReady = false;
      this.#turn(stream);
    }
    this.#isPumping = false;
  }

  #turn(stream: SessionStream): void {
    const { queue } = stream;
    const count = this.#allowed(stream, queue.length);
    // Closed meanwhile: the peer has changed its settings.
    if (count === 0) return;
    const isEmpty = count === queue.length;
    const isLast = isEmpty && stream.localEnded && stream.trailers === undefined;
    this.#dataHead(stream, count, isLast);
    queue.shift(count, this.#write);
    this.#written();
    if (!isEmpty) {
      this.makeReady(stream);
      return;
    }
    if (stream.trailers !== undefined) {
      this.#encoder.begin().encoded(stream.trailers);
      stream.trailers = undefined;
      this.headers(stream, true);
    } else if (isLast) this.#endSent(stream);
    else if (stream.awaitsDrain) {
      stream.awaitsDrain = false;
      stream.owner.onDrain();
    }
  }

  /** WINDOW_UPDATE of the connection. @returns false when it is too much */
  widen(byteCount: number): boolean {
    if (this.window + byteCount > MAX_WINDOW_BYTES) return false;
    this.window += byteCount;
    this.pump();
    return true;
  }

  /** The stream's window was opened or closed. @returns false when it is too much */
  widenStream(stream: SessionStream, byteCount: number): boolean {
    if (stream.sendWindow + byteCount > MAX_WINDOW_BYTES) return false;
    stream.sendWindow += byteCount;
    this.makeReady(stream);
    return true;
  }
}
