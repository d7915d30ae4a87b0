/** SETTINGS, RFC 9113 section 6.5: what the peer says, checked, and what we say. */
import { ErrorCode } from '../http2-stream.ts';
import {
  Flag,
  FrameType,
  INITIAL_WINDOW_BYTES,
  MAX_MAX_FRAME_BYTES,
  MAX_WINDOW_BYTES,
  MIN_MAX_FRAME_BYTES,
  Setting,
} from '../frame/frame-type.ts';
import type { FrameWriter } from '../frame/frame-writer.ts';
import type { Http2Limits, Http2Role } from './session-options.ts';

const SETTING_BYTES = 6;

/** Streams that a client opens before it knows what the server allows. */
const UNTOLD_STREAMS = 100;

/** What the peer has said, or what holds before it did. */
export class PeerSettings {
  headerTableBytes = 4_096;
  maxConcurrentStreams: number = UNTOLD_STREAMS;
  initialWindowBytes: number = INITIAL_WINDOW_BYTES;
  maxFrameBytes: number = MIN_MAX_FRAME_BYTES;
  maxHeaderListBytes: number = Number.POSITIVE_INFINITY;
  takesConnectProtocol = false;
  #isFirst = true;

  /** Takes the settings of a frame one by one; those that nobody knows are ignored. @returns what is wrong */
  // oxlint-disable-next-line max-params -- a range of bytes
  take(bytes: Buffer, from: number, to: number, role: Http2Role): ErrorCode {
    if (this.#isFirst) this.maxConcurrentStreams = Number.POSITIVE_INFINITY;
    this.#isFirst = false;
    for (let at = from; at < to; at += SETTING_BYTES) {
      const problem = this.#set(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2), role);
      if (problem !== ErrorCode.noError) return problem;
    }
    return ErrorCode.noError;
  }

  #set(name: number, value: number, role: Http2Role): ErrorCode {
    switch (name) {
      case Setting.headerTableSize:
        this.headerTableBytes = value;
        break;
      case Setting.enablePush:
        // Only a client may ask for it, and none of ours does.
        if (value > 1 || (value === 1 && role === 'client')) return ErrorCode.protocolError;
        break;
      case Setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW_BYTES) return ErrorCode.flowControlError;
        this.initialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        if (value < MIN_MAX_FRAME_BYTES || value > MAX_MAX_FRAME_BYTES)
          return ErrorCode.protocolError;
        this.maxFrameBytes = value;
        break;
      case Setting.maxHeaderListSize:
        this.maxHeaderListBytes = value;
        break;
      case Setting.enableConnectProtocol:
        if (value > 1 || (value === 0 && this.takesConnectProtocol)) return ErrorCode.protocolError;
        this.takesConnectProtocol = value === 1;
        break;
      default:
    }
    return ErrorCode.noError;
  }
}

/** Our settings, those that differ from what holds without them. */
export function writeSettings(writer: FrameWriter, role: Http2Role, limits: Http2Limits): void {
  const settings: (readonly [number, number])[] = [
    [Setting.maxHeaderListSize, limits.maxHeaderListBytes],
  ];
  if (role === 'client') settings.push([Setting.enablePush, 0]);
  else settings.push([Setting.maxConcurrentStreams, limits.maxConcurrentStreams]);
  if (limits.headerTableBytes !== 4_096)
    settings.push([Setting.headerTableSize, limits.headerTableBytes]);
  if (limits.streamWindowBytes !== INITIAL_WINDOW_BYTES)
    settings.push([Setting.initialWindowSize, limits.streamWindowBytes]);
  if (limits.maxFrameBytes !== MIN_MAX_FRAME_BYTES)
    settings.push([Setting.maxFrameSize, limits.maxFrameBytes]);
  if (limits.takesConnectProtocol && role === 'server')
    settings.push([Setting.enableConnectProtocol, 1]);
  writer.head(settings.length * SETTING_BYTES, FrameType.settings, Flag.none, 0);
  for (const [name, value] of settings) writer.setting(name, value);
}
