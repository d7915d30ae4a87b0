import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../../../error/evenkeel-error.ts';
import { FrameReader } from './frame-reader.ts';

const frameWith = (body: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  return frame;
};

/** Where a stream of bytes is cut. */
const cutsOf = (stream: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [...places, stream.length].map((end, index) =>
    stream.subarray(places[index - 1] ?? 0, end),
  );
};

describe('FrameReader', () => {
  it('gives back the frames, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
        fc.array(fc.nat(1_000), { maxLength: 30 }),
        (bodies, cuts) => {
          const frames = bodies.map(frameWith);
          const reader = new FrameReader();
          const got = cutsOf(Buffer.concat(frames), cuts).flatMap((chunk) => reader.push(chunk));
          expect(got.map((frame) => frame.toString('hex'))).toEqual(
            frames.map((frame) => frame.toString('hex')),
          );
        },
      ),
      { seed: 21, numRuns: 1_000 },
    );
  });

  it('takes anything, or refuses it with an error of ours', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 8 }), (chunks) => {
        const reader = new FrameReader();
        try {
          for (const chunk of chunks) reader.push(Buffer.from(chunk));
        } catch (error) {
          expect(isEvenkeelError(error)).toBe(true);
        }
      }),
      { seed: 22, numRuns: 2_000 },
    );
  });

  it.each([-1, -16, 2 ** 31 - 1, 32 * 1024 * 1024 + 1])('refuses a frame of %s bytes', (length) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(length, 0);
    expect(() => new FrameReader().push(head)).toThrow(`a frame of ${length} bytes`);
  });
});
