/** DATA, RFC 9113 section 6.1. */
import { Flag } from '../frame/frame-type.ts';
import type { FrameReader } from '../frame/frame-reader.ts';
import { Method } from '../hpack/encoder.ts';
import { ErrorCode } from '../http2-stream.ts';
import { Ending } from './closed-streams.ts';
import type { SessionCore } from './session-core.ts';
import type { SessionStream } from './session-stream.ts';

export class DataFrames {
  readonly #core: SessionCore;
  /** Who the data of the frame at hand is for; undefined when nobody wants it. */
  #stream: SessionStream | undefined = undefined;
  #isEnd = false;
  /** Padding and its length: given back when the frame is over. */
  #overhead = 0;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** A frame begins. */
  begin(reader: FrameReader): void {
    const { streamId, flags, length } = reader;
    const core = this.#core;
    this.#stream = undefined;
    this.#isEnd = (flags & Flag.endStream) !== 0;
    this.#overhead = length;
    if (streamId === 0 || core.streams.isIdle(streamId)) {
      core.failWith(ErrorCode.protocolError, 'DATA on a stream that is idle');
      return;
    }
    if (!core.flow.take(length)) {
      core.failWith(ErrorCode.flowControlError, 'more data than the connection window');
      return;
    }
    // Frames without bytes cost the peer nothing, and no window stops them.
    if (length === 0 && !this.#isEnd && !core.idleFrames.take()) {
      core.failWith(ErrorCode.enhanceYourCalm, 'too many empty frames');
      return;
    }
    this.#stream = this.#receiverOf(streamId, length);
  }

  #receiverOf(streamId: number, length: number): SessionStream | undefined {
    const core = this.#core;
    const stream = core.streams.get(streamId);
    if (stream === undefined) {
      this.#onGone(streamId);
      return undefined;
    }
    if (stream.remoteEnded) core.streamError(stream, ErrorCode.streamClosed);
    else if (!stream.headReceived) core.streamError(stream, ErrorCode.protocolError);
    else if (!core.flow.takeOn(stream, length))
      core.streamError(stream, ErrorCode.flowControlError);
    else return stream;
    return undefined;
  }

  /** Section 5.1, "closed". */
  #onGone(streamId: number): void {
    const core = this.#core;
    const ending = core.streams.endingOf(streamId);
    // What was under way when we reset it, or refused it by GOAWAY.
    if (ending === Ending.resetByUs || streamId > core.lastTakenId) return;
    if (ending === Ending.complete)
      core.failWith(ErrorCode.streamClosed, 'DATA on a stream that is closed');
    else core.refuse(streamId, ErrorCode.streamClosed);
  }

  /** Some of its data. */
  take(reader: FrameReader): void {
    const core = this.#core;
    const stream = this.#stream;
    const { from, to, isLast } = reader;
    const count = to - from;
    this.#overhead -= count;
    if (stream === undefined || stream.isClosed) {
      core.flow.give(isLast ? count + this.#overhead : count);
      return;
    }
    if (isLast && this.#overhead > 0) core.flow.giveOn(stream, this.#overhead);
    const isEnd = isLast && this.#isEnd;
    stream.receivedBytes += count;
    if (!isLengthGood(stream, isEnd)) {
      core.flow.give(count);
      core.streamError(stream, ErrorCode.protocolError);
      return;
    }
    stream.unconsumedBytes += count;
    if (isEnd) stream.remoteEnded = true;
    if (count > 0 || isEnd) stream.owner.onData(reader.bytes, from, to, isEnd);
    if (isEnd) core.endReceived(stream);
  }
}

/** Content is as long as was announced (section 8.1.1), and there is none behind a HEAD. */
export function isLengthGood(stream: SessionStream, isEnd: boolean): boolean {
  const { expectedBytes, receivedBytes } = stream;
  if (stream.method === Method.head) return receivedBytes === 0;
  if (expectedBytes === -1) return true;
  return isEnd ? receivedBytes === expectedBytes : receivedBytes <= expectedBytes;
}
