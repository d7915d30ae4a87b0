import { describe, expect, it } from 'vitest';
import { framesOf } from '../session/test-support/frames.ts';
import { MemoryStream } from '../session/test-support/memory-stream.ts';
import { FrameType } from './frame-type.ts';
import { FrameWriter } from './frame-writer.ts';

const NOBODY = {
  onBytes: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onConnect: () => undefined,
  onClose: () => undefined,
};

/** Keeps what is written as it is, not as a copy. */
class KeepingStream extends MemoryStream {
  readonly kept: Buffer[] = [];

  override write(bytes: Buffer): boolean {
    this.kept.push(bytes);
    return true;
  }
}

describe('the writer', () => {
  it('cuts a block that is longer than the peer takes', () => {
    const writer = new FrameWriter();
    const stream = new MemoryStream(NOBODY);
    const bytes = Buffer.alloc(250, 'b');
    writer.headers(5, { bytes, tail: 250 }, 1, 100);
    writer.headers(7, { bytes, tail: 100 }, 0, 100);
    writer.sendTo(stream);
    expect(
      framesOf(stream.take()).map(({ type, flags, streamId, payload }) => [
        type,
        flags,
        streamId,
        payload.length,
      ]),
    ).toEqual([
      [FrameType.headers, 1, 5, 100],
      [FrameType.continuation, 0, 5, 100],
      [FrameType.continuation, 4, 5, 50],
      [FrameType.headers, 4, 7, 100],
    ]);
  });

  it('holds any number of bytes, and nothing once they are sent', () => {
    const writer = new FrameWriter();
    const stream = new MemoryStream(NOBODY);
    const payload = Buffer.alloc(16_384, 'x');
    for (let count = 0; count < 20; count++) {
      writer.head(payload.length, FrameType.data, 0, 1);
      writer.bytes(payload, 0, payload.length);
    }
    writer.rstStream(0x7fff_ffff, 8);
    expect(writer.sendTo(stream)).toBe(true);
    expect(writer.length).toBe(0);
    const frames = framesOf(stream.take());
    expect(frames).toHaveLength(21);
    expect(frames.at(-1)?.streamId).toBe(0x7fff_ffff);
    expect(writer.sendTo(stream)).toBe(true);
    expect(stream.writeCount).toBe(1);
  });

  it('leaves bytes alone that a socket still holds, and gives it no buffer for each few of them', () => {
    const writer = new FrameWriter();
    const stream = new KeepingStream(NOBODY);
    const say = (code: number): void => {
      writer.rstStream(1, code);
      writer.sendTo(stream);
    };
    say(1);
    stream.holdsBytes = true;
    for (let code = 2; code < 6; code++) say(code);
    expect(stream.kept.slice(1).map((bytes) => bytes.readUInt32BE(9))).toEqual([2, 3, 4, 5]);
    expect(new Set(stream.kept.slice(1).map((bytes) => bytes.buffer.byteLength))).not.toContain(
      81_920,
    );
  });
});
