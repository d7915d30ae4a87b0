/** HEADERS and CONTINUATION, RFC 9113 sections 6.2 and 6.10, and the messages that begin or end with them. */
import { Flag } from '../frame/frame-type.ts';
import type { FrameReader } from '../frame/frame-reader.ts';
import { ErrorCode } from '../http2-stream.ts';
import { Ending } from './closed-streams.ts';
import { isLengthGood } from './data-frames.ts';
import { areTrailers, isRequest, isResponse } from './message-rules.ts';
import type { SessionCore } from './session-core.ts';
import type { SessionStream } from './session-stream.ts';

const PRIORITY_BYTES = 5;

export class HeaderBlocks {
  readonly #core: SessionCore;
  /** The stream whose block goes on in CONTINUATION frames; 0 for none. */
  openId = 0;
  #isEnd = false;
  /** A stream that depends on itself: its block is still decoded. */
  #hasBadPriority = false;
  #held: Buffer = Buffer.alloc(0);
  #heldLength = 0;
  #continuations = 0;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  onHeaders(reader: FrameReader): void {
    const core = this.#core;
    const { bytes, flags, streamId } = reader;
    let { from, to } = reader;
    if (streamId === 0) {
      core.failWith(ErrorCode.protocolError, 'HEADERS without a stream');
      return;
    }
    const hasPriority = (flags & Flag.priority) !== 0;
    const isPadded = (flags & Flag.padded) !== 0;
    if (to - from < (hasPriority ? PRIORITY_BYTES : 0) + (isPadded ? 1 : 0)) {
      core.failWith(ErrorCode.frameSizeError, 'HEADERS is too short');
      return;
    }
    if (isPadded) to -= bytes[from++] as number;
    this.#hasBadPriority = false;
    if (hasPriority) {
      this.#hasBadPriority = (bytes.readUInt32BE(from) & 0x7fff_ffff) === streamId;
      from += PRIORITY_BYTES;
    }
    if (to < from) {
      core.failWith(ErrorCode.protocolError, 'padding is longer than its frame');
      return;
    }
    this.#isEnd = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.#decode(streamId, bytes, from, to);
      return;
    }
    this.openId = streamId;
    this.#continuations = 0;
    this.#heldLength = 0;
    this.#hold(bytes, from, to);
  }

  onContinuation(reader: FrameReader): void {
    const core = this.#core;
    // That it is this stream's has been seen to.
    if (this.openId === 0) {
      core.failWith(ErrorCode.protocolError, 'CONTINUATION without HEADERS');
      return;
    }
    if (++this.#continuations > core.limits.maxContinuations) {
      core.failWith(ErrorCode.enhanceYourCalm, 'too many CONTINUATION frames');
      return;
    }
    this.#hold(reader.bytes, reader.from, reader.to);
    if (core.isClosed || (reader.flags & Flag.endHeaders) === 0) return;
    this.openId = 0;
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    this.#decode(reader.streamId, held, 0, this.#heldLength);
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const length = this.#heldLength + to - from;
    if (length > this.#core.limits.maxHeaderBlockBytes) {
      this.#core.failWith(ErrorCode.enhanceYourCalm, 'a field block is too long');
      return;
    }
    if (length > this.#held.length) {
      const larger = Buffer.allocUnsafe(2 * length);
      this.#held.copy(larger, 0, 0, this.#heldLength);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldLength, from, to);
    this.#heldLength = length;
  }

  // oxlint-disable-next-line max-params -- per message: an object would be allocated
  #decode(streamId: number, bytes: Buffer, from: number, to: number): void {
    const core = this.#core;
    // Also a block that nobody wants: the next one may need what it puts into the table.
    if (!core.decoder.decode(bytes, from, to)) {
      core.failWith(ErrorCode.compressionError, 'a field block cannot be decoded');
      return;
    }
    const stream = core.streams.get(streamId);
    if (stream === undefined) this.#onUnknown(streamId);
    else this.#onKnown(stream);
  }

  #onUnknown(streamId: number): void {
    const core = this.#core;
    if (core.role === 'server' && (streamId & 1) === 1 && streamId > core.streams.lastPeerId) {
      this.#onNew(streamId);
      return;
    }
    if (core.streams.isIdle(streamId)) {
      core.failWith(ErrorCode.protocolError, 'HEADERS on a stream that is not the peer’s to open');
      return;
    }
    switch (core.streams.endingOf(streamId)) {
      case Ending.resetByUs:
        // It did not know yet.
        return;
      case Ending.resetByPeer:
        core.refuse(streamId, ErrorCode.streamClosed);
        return;
      case Ending.complete:
        core.failWith(ErrorCode.streamClosed, 'HEADERS on a stream that is closed');
        return;
      case Ending.unknown:
        core.failWith(ErrorCode.protocolError, 'the number of a stream is lower than the last one');
    }
  }

  #onNew(streamId: number): void {
    const core = this.#core;
    const { decoder, limits, streams } = core;
    streams.lastPeerId = streamId;
    // After GOAWAY: nobody will answer, and the peer knows.
    if (streamId > core.lastTakenId) return;
    if (this.#hasBadPriority) core.refuse(streamId, ErrorCode.protocolError);
    else if (streams.busyCount >= limits.maxConcurrentStreams)
      core.refuse(streamId, ErrorCode.refusedStream);
    else if (decoder.isTooLarge) this.#answerTooLarge(streamId);
    else if (!isRequest(decoder.list, limits.takesConnectProtocol))
      core.refuse(streamId, ErrorCode.protocolError);
    else {
      const { list } = decoder;
      if (this.#isEnd && list.contentLength > 0) {
        core.refuse(streamId, ErrorCode.protocolError);
        return;
      }
      const stream = core.accept(streamId);
      stream.headReceived = true;
      stream.expectedBytes = list.contentLength;
      stream.remoteEnded = this.#isEnd;
      stream.owner = core.owner.onStream(stream);
      if (stream.isClosed) return;
      stream.owner.onFields(list, this.#isEnd);
      if (stream.remoteEnded) core.endReceived(stream);
    }
  }

  /** Status 431, RFC 6585 section 5: the client may want to know. */
  #answerTooLarge(streamId: number): void {
    const core = this.#core;
    core.encoder.begin().text(':status', '431').text('content-length', '0');
    core.sender.answer(streamId);
    core.refuse(streamId, ErrorCode.noError);
  }

  #onKnown(stream: SessionStream): void {
    const core = this.#core;
    const { list } = core.decoder;
    if (stream.remoteEnded) {
      core.streamError(stream, ErrorCode.streamClosed);
      return;
    }
    if (this.#hasBadPriority) {
      core.streamError(stream, ErrorCode.protocolError);
      return;
    }
    if (core.decoder.isTooLarge) {
      core.streamError(stream, ErrorCode.enhanceYourCalm);
      return;
    }
    if (stream.headReceived) {
      this.#onTrailers(stream);
      return;
    }
    const isGood = isResponse(list);
    const isFinal = list.status >= 200;
    // An informational one is not the end.
    if (!isGood || (this.#isEnd && !isFinal)) {
      core.streamError(stream, ErrorCode.protocolError);
      return;
    }
    if (isFinal) {
      stream.headReceived = true;
      const hasNone = list.status === 204 || list.status === 304;
      stream.expectedBytes = hasNone ? 0 : list.contentLength;
      if (this.#isEnd && !isLengthGood(stream, true)) {
        core.streamError(stream, ErrorCode.protocolError);
        return;
      }
      stream.remoteEnded = this.#isEnd;
    }
    stream.owner.onFields(list, this.#isEnd);
    if (this.#isEnd) core.endReceived(stream);
  }

  #onTrailers(stream: SessionStream): void {
    const core = this.#core;
    const { list } = core.decoder;
    if (!this.#isEnd || !areTrailers(list) || !isLengthGood(stream, true)) {
      core.streamError(stream, ErrorCode.protocolError);
      return;
    }
    stream.remoteEnded = true;
    stream.owner.onTrailers(list);
    core.endReceived(stream);
  }
}
