import { describe, expect, it } from 'vitest';
import { data, frame, ping } from '../session/test-support/frames.ts';
import { ErrorCode } from '../http2-stream.ts';
import { FrameEvent, FrameReader } from './frame-reader.ts';
import { Flag } from './frame-type.ts';

/** Events in words, with the parts of data. */
function events(reader: FrameReader, bytes: Buffer): string[] {
  const log: string[] = [];
  let at = 0;
  for (;;) {
    const event = reader.next(bytes, at, bytes.length);
    ({ at } = reader);
    const text = reader.bytes.toString('latin1', reader.from, reader.to);
    if (event === FrameEvent.more) return log;
    if (event === FrameEvent.failed) return [...log, `failed ${reader.problem}`];
    if (event === FrameEvent.dataHead) log.push(`data of ${reader.length}`);
    else if (event === FrameEvent.data) log.push(`${text}${reader.isLast ? ' last' : ''}`);
    else log.push(`${reader.type} ${reader.flags} ${reader.streamId} ${text}`);
  }
}

describe('the reader', () => {
  it('passes data on as it comes, and other frames when they are whole', () => {
    const reader = new FrameReader(16_384);
    const bytes = Buffer.concat([data(3, 'abcdef', Flag.endStream), ping('evenkeel')]);
    expect(events(reader, bytes.subarray(0, 11))).toEqual(['data of 6', 'ab']);
    expect(reader.isInside).toBe(true);
    expect(events(reader, bytes.subarray(11, 30))).toEqual(['cdef last']);
    expect(events(reader, bytes.subarray(30))).toEqual(['6 0 0 evenkeel']);
    expect(reader.isInside).toBe(false);
  });

  it('leaves out padding, also of frames without data', () => {
    const padded = (payload: number[]): Buffer => data(1, Buffer.from(payload), Flag.padded);
    const reader = new FrameReader(16_384);
    expect(events(reader, padded([2, 97, 98, 0, 0]))).toEqual(['data of 5', 'ab last']);
    expect(events(reader, padded([2, 0, 0]))).toEqual(['data of 3', ' last']);
    expect(events(reader, padded([0]))).toEqual(['data of 1', ' last']);
    expect(events(reader, data(1, ''))).toEqual(['data of 0', ' last']);
    expect(events(reader, ping())).toEqual(['6 0 0 evenkeel']);
  });

  it('refuses lengths that are not allowed before anything is gathered', () => {
    expect(
      events(new FrameReader(16_384), frame(0, 0, 1, Buffer.alloc(16_385)).subarray(0, 9)),
    ).toEqual([`failed ${ErrorCode.frameSizeError}`]);
    expect(events(new FrameReader(20_000), frame(6, 0, 1, Buffer.alloc(20_000)))).toHaveLength(1);
  });
});
