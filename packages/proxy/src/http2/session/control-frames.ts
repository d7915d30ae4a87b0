/** Frames about the connection, and about streams but not their messages: RFC 9113 sections 6.3 to 6.9. */
import { Flag, FrameType, MAX_WINDOW_BYTES } from '../frame/frame-type.ts';
import type { FrameReader } from '../frame/frame-reader.ts';
import { ErrorCode } from '../http2-stream.ts';
import { Ending } from './closed-streams.ts';
import type { SessionCore } from './session-core.ts';

const MAX_ERROR_CODE = 0xd;

/** Codes that nobody knows stand for an internal error: section 7. */
function codeOf(value: number): ErrorCode {
  return value <= MAX_ERROR_CODE ? (value as ErrorCode) : ErrorCode.internalError;
}

export class ControlFrames {
  readonly #core: SessionCore;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  onPriority(reader: FrameReader): void {
    const core = this.#core;
    const { streamId, bytes, from } = reader;
    if (streamId === 0) {
      core.failWith(ErrorCode.protocolError, 'PRIORITY without a stream');
      return;
    }
    if (!this.#spend()) return;
    // Nothing else about it matters: section 5.3.2.
    if (reader.length !== 5) this.#faultOn(streamId, ErrorCode.frameSizeError);
    else if ((bytes.readUInt32BE(from) & 0x7fff_ffff) === streamId)
      this.#faultOn(streamId, ErrorCode.protocolError);
  }

  /** A stream error, whatever the stream is. */
  #faultOn(streamId: number, code: ErrorCode): void {
    const core = this.#core;
    const stream = core.streams.get(streamId);
    if (stream !== undefined) core.streamError(stream, code);
    // RST_STREAM must not be sent for an idle one: section 6.4.
    else if (core.streams.isIdle(streamId)) core.failWith(code, 'a frame on a stream that is idle');
    else core.refuse(streamId, code);
  }

  onRstStream(reader: FrameReader): void {
    const core = this.#core;
    const { streamId, bytes, from } = reader;
    if (!this.#isLong(reader, 4)) return;
    if (streamId === 0 || core.streams.isIdle(streamId)) {
      core.failWith(ErrorCode.protocolError, 'RST_STREAM on a stream that is idle');
      return;
    }
    const stream = core.streams.get(streamId);
    if (stream === undefined) {
      this.#spend();
      return;
    }
    const code = codeOf(bytes.readUInt32BE(from));
    core.closeStream(stream, code, Ending.resetByPeer);
    if (core.role === 'server' && !core.countReset())
      core.failWith(ErrorCode.enhanceYourCalm, 'too many streams are reset');
  }

  onSettings(reader: FrameReader): void {
    const core = this.#core;
    const { bytes, flags, from, to, length, streamId } = reader;
    if (streamId !== 0) {
      core.failWith(ErrorCode.protocolError, 'SETTINGS on a stream');
      return;
    }
    if ((flags & Flag.ack) !== 0) {
      if (this.#isLong(reader, 0)) core.settingsAcknowledged();
      return;
    }
    if (length % 6 !== 0) {
      core.failWith(ErrorCode.frameSizeError, 'SETTINGS are cut off');
      return;
    }
    if (!this.#spend()) return;
    const { peer, sender } = core;
    const before = peer.initialWindowBytes;
    const problem = peer.take(bytes, from, to, core.role);
    if (problem !== ErrorCode.noError) {
      core.failWith(problem, 'a setting has a value that is not allowed');
      return;
    }
    core.encoder.setPeerTableBytes(peer.headerTableBytes);
    sender.maxFrameBytes = peer.maxFrameBytes;
    // Acknowledged before anything that follows from them.
    sender.writer.head(0, FrameType.settings, Flag.ack, 0);
    sender.touchControl();
    const change = peer.initialWindowBytes - before;
    if (change !== 0)
      for (const stream of core.streams.all())
        if (!sender.widenStream(stream, change)) {
          core.failWith(ErrorCode.flowControlError, 'a window is too large');
          return;
        }
    sender.pump();
    core.owner.onSettings();
  }

  onPing(reader: FrameReader): void {
    const core = this.#core;
    const { bytes, flags, from, to, streamId } = reader;
    if (streamId !== 0) {
      core.failWith(ErrorCode.protocolError, 'PING on a stream');
      return;
    }
    if (!this.#isLong(reader, 8)) return;
    if ((flags & Flag.ack) !== 0) {
      core.pingAnswered(bytes.readUInt32BE(from + 4));
      return;
    }
    if (!this.#spend()) return;
    core.sender.writer.head(8, FrameType.ping, Flag.ack, 0);
    core.sender.writer.bytes(bytes, from, to);
    core.sender.touchControl();
  }

  onGoaway(reader: FrameReader): void {
    const core = this.#core;
    const { bytes, from, length, streamId } = reader;
    if (streamId !== 0) core.failWith(ErrorCode.protocolError, 'GOAWAY on a stream');
    else if (length < 8) core.failWith(ErrorCode.frameSizeError, 'GOAWAY is cut off');
    else
      core.goawayReceived(
        bytes.readUInt32BE(from) & 0x7fff_ffff,
        codeOf(bytes.readUInt32BE(from + 4)),
      );
  }

  onWindowUpdate(reader: FrameReader): void {
    const core = this.#core;
    const { bytes, from, streamId } = reader;
    if (!this.#isLong(reader, 4)) return;
    if (!core.windowUpdates.take()) {
      core.failWith(ErrorCode.enhanceYourCalm, 'too many WINDOW_UPDATE frames');
      return;
    }
    const increment = bytes.readUInt32BE(from) & MAX_WINDOW_BYTES;
    if (streamId === 0) {
      if (increment === 0) core.failWith(ErrorCode.protocolError, 'WINDOW_UPDATE by nothing');
      else if (!core.sender.widen(increment))
        core.failWith(ErrorCode.flowControlError, 'the connection window is too large');
      return;
    }
    const stream = core.streams.get(streamId);
    if (stream === undefined) {
      if (core.streams.isIdle(streamId))
        core.failWith(ErrorCode.protocolError, 'WINDOW_UPDATE on a stream that is idle');
      return;
    }
    if (increment === 0) core.streamError(stream, ErrorCode.protocolError);
    else if (!core.sender.widenStream(stream, increment))
      core.streamError(stream, ErrorCode.flowControlError);
    else core.sender.pump();
  }

  /** Nobody needs to know it (section 5.5). */
  onUnknown(): void {
    this.#spend();
  }

  /** One more frame that achieves nothing. */
  #spend(): boolean {
    if (this.#core.idleFrames.take()) return true;
    this.#core.failWith(ErrorCode.enhanceYourCalm, 'too many frames that achieve nothing');
    return false;
  }

  /** A wrong length of these frames changes the state of the connection: section 4.2. */
  #isLong(reader: FrameReader, length: number): boolean {
    if (reader.length === length) return true;
    this.#core.failWith(ErrorCode.frameSizeError, 'a frame has a wrong length');
    return false;
  }
}
