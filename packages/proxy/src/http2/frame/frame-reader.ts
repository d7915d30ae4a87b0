/**
 * Cuts bytes into frames (RFC 9113 section 4.1), however they come. It is pulled: each {@link FrameReader.next} takes
 * bytes up to the next thing worth knowing. The payload of DATA is passed on as it comes, without being gathered; that
 * of all other frames is whole.
 */
import { ErrorCode } from '../http2-stream.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType } from './frame-type.ts';

/** What {@link FrameReader.next} came upon. */
export const FrameEvent = {
  /** All bytes are used up. */
  more: 0,
  /** A whole frame that is not DATA: its payload is in `bytes`, from `from` to `to`. */
  frame: 1,
  /** A frame of DATA begins: `length` bytes with padding, all of which count for flow control. */
  dataHead: 2,
  /** Some bytes of its data, from `from` to `to`; `isLast` when its data is complete. At least one such event. */
  data: 3,
  /** `problem` says what is wrong with the connection. */
  failed: 4,
} as const;
export type FrameEvent = (typeof FrameEvent)[keyof typeof FrameEvent];

const State = {
  head: 0,
  payload: 1,
  padLength: 2,
  data: 3,
  padding: 4,
} as const;
type State = (typeof State)[keyof typeof State];

export class FrameReader {
  type = 0;
  flags = 0;
  streamId = 0;
  /** Of the whole payload. */
  length = 0;
  /** Where the bytes of an event are. */
  bytes: Buffer;
  from = 0;
  to = 0;
  isLast = false;
  /** Where to go on after an event. */
  at = 0;
  problem: ErrorCode = ErrorCode.noError;

  readonly #maxFrameBytes: number;
  readonly #head: Buffer = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  #headLength = 0;
  #state: State = State.head;
  /** Bytes of data that are still to come, and of the padding behind them. */
  #left = 0;
  #padding = 0;
  /** A payload that comes in pieces: so much of it is there. */
  #gathered: Buffer | undefined = undefined;
  #gatheredLength = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
    this.bytes = this.#head;
  }

  /** Is a frame there in part? */
  get isInside(): boolean {
    return this.#state !== State.head || this.#headLength > 0;
  }

  /** Reads from `from`; goes on at {@link at} the next time. */
  next(bytes: Buffer, from: number, to: number): FrameEvent {
    this.at = from;
    for (;;) {
      switch (this.#state) {
        case State.head:
          if (!this.#readHead(bytes, to)) return FrameEvent.more;
          if (this.length > this.#maxFrameBytes) return this.#fail(ErrorCode.frameSizeError);
          if (this.type !== FrameType.data) {
            this.#state = State.payload;
            break;
          }
          this.#left = this.length;
          this.#padding = 0;
          this.#state = (this.flags & Flag.padded) === 0 ? State.data : State.padLength;
          if (this.#state === State.padLength && this.length === 0)
            return this.#fail(ErrorCode.frameSizeError);
          return FrameEvent.dataHead;
        case State.payload:
          return this.#takePayload(bytes, to);
        case State.padLength:
          if (this.at === to) return FrameEvent.more;
          this.#padding = bytes[this.at++] as number;
          this.#left -= 1 + this.#padding;
          // As long as the payload or longer: section 6.1.
          if (this.#left < 0) return this.#fail(ErrorCode.protocolError);
          this.#state = State.data;
          break;
        case State.data:
          return this.#takeData(bytes, to);
        case State.padding: {
          const skipped = Math.min(this.#padding, to - this.at);
          this.#padding -= skipped;
          this.at += skipped;
          if (this.#padding > 0) return FrameEvent.more;
          this.#state = State.head;
          if (this.at === to) return FrameEvent.more;
        }
      }
    }
  }

  #takeData(bytes: Buffer, to: number): FrameEvent {
    const taken = Math.min(this.#left, to - this.at);
    if (taken === 0 && this.#left > 0) return FrameEvent.more;
    this.#left -= taken;
    this.bytes = bytes;
    this.from = this.at;
    this.at += taken;
    this.to = this.at;
    this.isLast = this.#left === 0;
    if (this.isLast) this.#state = this.#padding === 0 ? State.head : State.padding;
    return FrameEvent.data;
  }

  /** @returns is the head complete? */
  #readHead(bytes: Buffer, to: number): boolean {
    const from = this.at;
    let head = bytes;
    let at = from;
    if (this.#headLength > 0 || to - from < FRAME_HEAD_BYTES) {
      const taken = Math.min(FRAME_HEAD_BYTES - this.#headLength, to - from);
      bytes.copy(this.#head, this.#headLength, from, from + taken);
      this.#headLength += taken;
      this.at = from + taken;
      if (this.#headLength < FRAME_HEAD_BYTES) return false;
      head = this.#head;
      at = 0;
      this.#headLength = 0;
    } else this.at = from + FRAME_HEAD_BYTES;
    this.length =
      ((head[at] as number) << 16) | ((head[at + 1] as number) << 8) | (head[at + 2] as number);
    this.type = head[at + 3] as number;
    this.flags = head[at + 4] as number;
    // The first bit means nothing.
    this.streamId =
      (((head[at + 5] as number) & 0x7f) << 24) |
      ((head[at + 6] as number) << 16) |
      ((head[at + 7] as number) << 8) |
      (head[at + 8] as number);
    return true;
  }

  #takePayload(bytes: Buffer, to: number): FrameEvent {
    const { length } = this;
    const gathered = this.#gathered;
    if (gathered === undefined && to - this.at >= length) {
      this.bytes = bytes;
      this.from = this.at;
      this.at += length;
      this.to = this.at;
      this.#state = State.head;
      return FrameEvent.frame;
    }
    const target = gathered ?? Buffer.allocUnsafe(length);
    const taken = Math.min(length - this.#gatheredLength, to - this.at);
    bytes.copy(target, this.#gatheredLength, this.at, this.at + taken);
    this.#gatheredLength += taken;
    this.at += taken;
    if (this.#gatheredLength < length) {
      this.#gathered = target;
      return FrameEvent.more;
    }
    this.#gathered = undefined;
    this.#gatheredLength = 0;
    this.#state = State.head;
    this.bytes = target;
    this.from = 0;
    this.to = length;
    return FrameEvent.frame;
  }

  #fail(problem: ErrorCode): FrameEvent {
    this.problem = problem;
    return FrameEvent.failed;
  }
}
