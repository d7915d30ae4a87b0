/** Frames as bytes, put together by hand, and bytes as frames. */
import { FrameEvent, FrameReader } from '../../frame/frame-reader.ts';
import { Flag, FrameType, PREFACE } from '../../frame/frame-type.ts';

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | string = '',
): Buffer {
  const bytes = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, bytes]);
}

export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index);
  return bytes;
}

export function settings(...pairs: (readonly [number, number])[]): Buffer {
  const bytes = Buffer.alloc(6 * pairs.length);
  for (const [index, [name, value]] of pairs.entries()) {
    bytes.writeUInt16BE(name, 6 * index);
    bytes.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(FrameType.settings, Flag.none, 0, bytes);
}

export const settingsAck: Buffer = frame(FrameType.settings, Flag.ack, 0);

/** What a client begins with. */
export const clientStart: Buffer = Buffer.concat([PREFACE, settings()]);

export const data = (streamId: number, payload: Uint8Array | string, flags = 0): Buffer =>
  frame(FrameType.data, flags, streamId, payload);
export const rstStream = (streamId: number, code: number): Buffer =>
  frame(FrameType.rstStream, 0, streamId, words(code));
export const windowUpdate = (streamId: number, increment: number): Buffer =>
  frame(FrameType.windowUpdate, 0, streamId, words(increment));
export const ping = (payload = 'evenkeel', flags = 0): Buffer =>
  frame(FrameType.ping, flags, 0, payload);
export const goaway = (lastStreamId: number, code: number): Buffer =>
  frame(FrameType.goaway, 0, 0, words(lastStreamId, code));
export const priority = (streamId: number, parent: number): Buffer =>
  frame(FrameType.priority, 0, streamId, Buffer.concat([words(parent), Buffer.from([15])]));

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Cuts what a session wrote into frames; data without its padding. */
export function framesOf(bytes: Buffer): Frame[] {
  const reader = new FrameReader(1 << 24);
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const event = reader.next(bytes, at, bytes.length);
    at = reader.at;
    if (event === FrameEvent.more) return frames;
    if (event === FrameEvent.failed) throw new Error('not a frame');
    if (event === FrameEvent.dataHead) continue;
    const { type, flags, streamId } = reader;
    frames.push({
      type,
      flags,
      streamId,
      payload: Buffer.from(reader.bytes.subarray(reader.from, reader.to)),
    });
  }
}
