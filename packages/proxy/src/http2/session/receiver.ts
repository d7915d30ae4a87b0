/** What comes in: the preface, then frames, each to whom it concerns. */
import { FrameEvent, FrameReader } from '../frame/frame-reader.ts';
import { Flag, FrameType, PREFACE } from '../frame/frame-type.ts';
import { ErrorCode } from '../http2-stream.ts';
import { ControlFrames } from './control-frames.ts';
import { DataFrames } from './data-frames.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { SessionCore } from './session-core.ts';

export class Receiver {
  readonly #core: SessionCore;
  readonly #reader: FrameReader;
  readonly #data: DataFrames;
  readonly #blocks: HeaderBlocks;
  readonly #control: ControlFrames;
  /** Bytes of the preface that are still to come. */
  #prefaceLeft: number;
  /** Were the peer's first settings there? */
  #isStarted = false;

  constructor(core: SessionCore) {
    this.#core = core;
    this.#reader = new FrameReader(core.limits.maxFrameBytes);
    this.#data = new DataFrames(core);
    this.#blocks = new HeaderBlocks(core);
    this.#control = new ControlFrames(core);
    this.#prefaceLeft = core.role === 'server' ? PREFACE.length : 0;
  }

  /** Has the peer said what it has to say first? */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Is a field block there in part? */
  get isInsideBlock(): boolean {
    return this.#blocks.openId !== 0;
  }

  onBytes(bytes: Buffer, from: number, to: number): void {
    const core = this.#core;
    let at = from;
    while (this.#prefaceLeft > 0 && at < to) {
      if (bytes[at++] !== PREFACE[PREFACE.length - this.#prefaceLeft]) {
        core.failWith(ErrorCode.protocolError, 'the preface is not that of HTTP/2');
        return;
      }
      this.#prefaceLeft--;
    }
    const reader = this.#reader;
    while (!core.isClosed) {
      const event = reader.next(bytes, at, to);
      at = reader.at;
      switch (event) {
        case FrameEvent.more:
          return;
        case FrameEvent.data:
          this.#data.take(reader);
          break;
        case FrameEvent.dataHead:
          if (this.#isInOrder()) this.#data.begin(reader);
          break;
        case FrameEvent.frame:
          if (this.#isInOrder()) this.#onFrame(reader);
          break;
        case FrameEvent.failed:
          core.failWith(reader.problem, 'a frame has a wrong length');
      }
    }
  }

  /** SETTINGS come first (section 3.4), and nothing comes between the parts of a field block (section 6.10). */
  #isInOrder(): boolean {
    const { type, flags, streamId } = this.#reader;
    if (!this.#isStarted) {
      this.#isStarted = type === FrameType.settings && (flags & Flag.ack) === 0;
      if (!this.#isStarted)
        this.#core.failWith(ErrorCode.protocolError, 'SETTINGS do not come first');
      return this.#isStarted;
    }
    const { openId } = this.#blocks;
    if (openId === 0 || (type === FrameType.continuation && streamId === openId)) return true;
    this.#core.failWith(ErrorCode.protocolError, 'a frame within a field block');
    return false;
  }

  #onFrame(reader: FrameReader): void {
    switch (reader.type) {
      case FrameType.headers:
        this.#blocks.onHeaders(reader);
        return;
      case FrameType.continuation:
        this.#blocks.onContinuation(reader);
        return;
      case FrameType.windowUpdate:
        this.#control.onWindowUpdate(reader);
        return;
      case FrameType.rstStream:
        this.#control.onRstStream(reader);
        return;
      case FrameType.settings:
        this.#control.onSettings(reader);
        return;
      case FrameType.ping:
        this.#control.onPing(reader);
        return;
      case FrameType.goaway:
        this.#control.onGoaway(reader);
        return;
      case FrameType.priority:
        this.#control.onPriority(reader);
        return;
      case FrameType.pushPromise:
        // From a client never (section 8.4), from a server not after it was told so.
        this.#core.failWith(ErrorCode.protocolError, 'PUSH_PROMISE');
        return;
      default:
        this.#control.onUnknown();
    }
  }
}
