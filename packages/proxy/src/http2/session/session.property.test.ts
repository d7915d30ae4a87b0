import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flag, FrameType, PREFACE, Setting } from '../frame/frame-type.ts';
import { literals } from './test-support/field-text.ts';
import {
  data,
  frame,
  ping,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from './test-support/frames.ts';
import { GET, headers, POST, WirePeer } from './test-support/wire-peer.ts';

const big = literals([...GET, ['x-long', 'v'.repeat(300)]]);

/** Some of everything: padding, priority, CONTINUATION, trailers, resets, windows, a stream that is refused. */
const CONVERSATION: Buffer = Buffer.concat([
  PREFACE,
  settings([Setting.initialWindowSize, 70_000], [Setting.headerTableSize, 100]),
  settingsAck,
  headers(1, [...POST, ['content-length', '8']], false),
  data(1, 'abc'),
  priority(1, 0),
  data(1, Buffer.from([4, ...Buffer.from('defgh'), 0, 0, 0, 0]), Flag.padded),
  headers(1, [['x-trailer', 'yes']]),
  frame(FrameType.headers, Flag.endStream, 3, big.subarray(0, 40)),
  frame(FrameType.continuation, 0, 3, big.subarray(40, 200)),
  frame(FrameType.continuation, Flag.endHeaders, 3, big.subarray(200)),
  headers(5, [...GET, ['connection', 'close']]),
  windowUpdate(0, 1_000),
  frame(0x33, 0xff, 0, 'whatever'),
  headers(7, POST, false),
  data(7, ''),
  rstStream(7, 8),
  ping('12345678'),
  // Table: an entry is made, and used.
  frame(
    FrameType.headers,
    5,
    9,
    Buffer.concat([literals(GET), Buffer.from([0x40, 1, 0x78, 1, 0x79, 0xbe])]),
  ),
]);

interface Heard {
  readonly log: readonly string[];
  readonly said: readonly string[];
}

/** Data that comes in pieces is heard in pieces: joined again. */
function join(log: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of log) {
    const [, id, piece = '', end = ''] = /^(\d+) data (\S*) \d+( end)?$/u.exec(line) ?? [];
    const last = joined.at(-1);
    if (id !== undefined && last?.startsWith(`${id} data `))
      joined[joined.length - 1] = `${last}${piece}${end}`;
    else joined.push(id === undefined ? line : `${id} data ${piece}${end}`);
  }
  return joined;
}

function hear(parts: readonly Buffer[]): Heard {
  const peer = new WirePeer();
  for (const part of parts) peer.send(part);
  return { log: join(peer.log), said: peer.said() };
}

describe('a conversation', () => {
  const whole = hear([CONVERSATION]);

  it('is what it should be', () => {
    expect(whole.log).toEqual([
      'busy',
      '1 :method=POST :scheme=http :path=/ :authority=a content-length=8',
      '1 data abcdefgh',
      '1 trailers x-trailer=yes',
      `3 :method=GET :scheme=http :path=/ :authority=a x-long=${'v'.repeat(300)} end`,
      '7 :method=POST :scheme=http :path=/ :authority=a',
      '7 closed cancel',
      '9 :method=GET :scheme=http :path=/ :authority=a x=y x=y end',
    ]);
    expect(whole.said).toEqual([
      'settings',
      'windowUpdate 0 983041',
      'settings ack',
      'rstStream 5 protocolError',
      'ping ack',
    ]);
  });

  it('is the same wherever it is cut', () => {
    for (let at = 0; at <= CONVERSATION.length; at++)
      expect(hear([CONVERSATION.subarray(0, at), CONVERSATION.subarray(at)])).toEqual(whole);
    expect(hear([...CONVERSATION].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('is the same in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(CONVERSATION.length), { maxLength: 20 }), (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), CONVERSATION.length];
        const parts = ends.map((end, index) => CONVERSATION.subarray(ends[index - 1] ?? 0, end));
        expect(hear(parts)).toEqual(whole);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('with any bytes changed ends in order', () => {
    const change = fc.tuple(fc.integer({ min: 24, max: CONVERSATION.length - 1 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(CONVERSATION);
        for (const [at, byte] of changes) bytes[at] = byte;
        const peer = new WirePeer();
        peer.send(bytes);
        // No more than a GOAWAY, and each stream is closed once.
        const said = peer.said();
        expect(said.filter((line) => line.startsWith('goaway')).length).toBeLessThan(2);
        expect(said.length).toBeLessThan(40);
        peer.stream.destroy();
        const closed = peer.log.filter((line) => / closed /u.test(line) && /^\d/u.test(line));
        expect(new Set(closed.map((line) => line.split(' ')[0])).size).toBe(closed.length);
        expect(peer.session.openCount).toBe(0);
        expect(peer.log.at(-1)).toMatch(/^session closed/u);
      }),
      { seed: 6, numRuns: 3_000 },
    );
  });

  it('of nothing but noise ends in order', () => {
    const noise = fc.array(
      fc.tuple(fc.nat(11), fc.nat(255), fc.nat(4), fc.uint8Array({ maxLength: 40 })),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(noise, (frames) => {
        const peer = new WirePeer().start();
        peer.send(...frames.map(([type, flags, id, payload]) => frame(type, flags, id, payload)));
        peer.stream.destroy();
        expect(peer.session.openCount).toBe(0);
      }),
      { seed: 7, numRuns: 3_000 },
    );
  });
});
