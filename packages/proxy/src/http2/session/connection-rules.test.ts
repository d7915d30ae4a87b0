/** What breaks a connection, and what does not: RFC 9113 sections 3 to 6, one rule a line. */
import { describe, expect, it } from 'vitest';
import { Flag, FrameType, PREFACE, Setting } from '../frame/frame-type.ts';
import { literals } from './test-support/field-text.ts';
import {
  data,
  frame,
  goaway,
  ping,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
  words,
} from './test-support/frames.ts';
import { GET, headers, POST, WirePeer } from './test-support/wire-peer.ts';

type Rule = readonly [rule: string, sent: readonly Buffer[], said: readonly string[]];

const { headers: HEADERS, continuation: CONTINUATION } = FrameType;
const block = literals(GET);
const open = headers(1, POST, false);
const dead = (code: string, last = 0): string[] => [`goaway ${last} ${code}`];
/** Part of a block that goes on. */
const begun = frame(HEADERS, Flag.endStream, 1, block.subarray(0, 10));
const rest = (flags: number = Flag.endHeaders): Buffer =>
  frame(CONTINUATION, flags, 1, block.subarray(10));

const FATAL: readonly Rule[] = [
  // Section 4.2.
  [
    'DATA longer than was allowed',
    [open, data(1, Buffer.alloc(16_385))],
    dead('frameSizeError', 1),
  ],
  [
    'HEADERS longer than was allowed',
    [frame(HEADERS, 4, 1, Buffer.alloc(16_385))],
    dead('frameSizeError'),
  ],
  // Section 4.3.
  [
    'a block that is no HPACK',
    [frame(HEADERS, 5, 1, Buffer.from([0xff]))],
    dead('compressionError'),
  ],
  ['PRIORITY within a block', [begun, priority(1, 0), rest()], dead('protocolError')],
  [
    'HEADERS of another stream within a block',
    [begun, headers(3, GET), rest()],
    dead('protocolError'),
  ],
  ['DATA within a block', [begun, data(1, 'x'), rest()], dead('protocolError')],
  [
    'an unknown frame within a block',
    [begun, frame(0x16, 0, 0, 'x'), rest()],
    dead('protocolError'),
  ],
  // Section 5.1.
  ['DATA on an idle stream', [data(1, 'x')], dead('protocolError')],
  ['RST_STREAM on an idle stream', [rstStream(1, 8)], dead('protocolError')],
  ['WINDOW_UPDATE on an idle stream', [windowUpdate(1, 1)], dead('protocolError')],
  ['CONTINUATION on an idle stream', [frame(CONTINUATION, 4, 1, block)], dead('protocolError')],
  [
    'CONTINUATION after the end of a request',
    [headers(1, GET), frame(CONTINUATION, 4, 1, block)],
    dead('protocolError', 1),
  ],
  [
    'CONTINUATION after RST_STREAM',
    [open, rstStream(1, 8), frame(CONTINUATION, 4, 1, block)],
    dead('protocolError', 1),
  ],
  ['a stream with an even number', [headers(2, GET)], dead('protocolError')],
  ['a stream with a lower number', [headers(5, GET), headers(3, GET)], dead('protocolError', 5)],
  // Section 5.3.1 of RFC 7540, for a stream that cannot be reset.
  ['PRIORITY of an idle stream on itself', [priority(1, 1)], dead('protocolError')],
  // Section 6.1 and 6.2.
  ['DATA without a stream', [data(0, 'x')], dead('protocolError')],
  [
    'DATA of nothing but padding',
    [open, data(1, Buffer.from([5, 0, 0, 0, 0]), Flag.padded)],
    dead('protocolError', 1),
  ],
  [
    'DATA without the length of its padding',
    [open, data(1, '', Flag.padded)],
    dead('frameSizeError', 1),
  ],
  ['HEADERS without a stream', [headers(0, GET)], dead('protocolError')],
  [
    'HEADERS of nothing but padding',
    [frame(HEADERS, 0xd, 1, Buffer.from([5, 0, 0, 0, 0]))],
    dead('protocolError'),
  ],
  ['HEADERS without the length of its padding', [frame(HEADERS, 0xd, 1)], dead('frameSizeError')],
  [
    'HEADERS without all of its priority',
    [frame(HEADERS, 0x25, 1, 'xxxx')],
    dead('frameSizeError'),
  ],
  // Section 6.3 and 6.4.
  ['PRIORITY without a stream', [priority(0, 1)], dead('protocolError')],
  ['RST_STREAM without a stream', [rstStream(0, 8)], dead('protocolError')],
  [
    'RST_STREAM of another length',
    [open, frame(FrameType.rstStream, 0, 1, 'xxx')],
    dead('frameSizeError', 1),
  ],
  // Section 6.5.
  [
    'SETTINGS with an acknowledgement and more',
    [frame(FrameType.settings, Flag.ack, 0, words(0))],
    dead('frameSizeError'),
  ],
  ['SETTINGS on a stream', [frame(FrameType.settings, 0, 1)], dead('protocolError')],
  ['SETTINGS that are cut off', [frame(FrameType.settings, 0, 0, 'xxx')], dead('frameSizeError')],
  ['push that is neither on nor off', [settings([Setting.enablePush, 2])], dead('protocolError')],
  [
    'a window above 2^31-1',
    [settings([Setting.initialWindowSize, 2 ** 31])],
    dead('flowControlError'),
  ],
  ['frames below 2^14', [settings([Setting.maxFrameSize, 16_383])], dead('protocolError')],
  ['frames above 2^24-1', [settings([Setting.maxFrameSize, 2 ** 24])], dead('protocolError')],
  [
    'extended CONNECT that is neither on nor off',
    [settings([Setting.enableConnectProtocol, 2])],
    dead('protocolError'),
  ],
  // Sections 6.6 to 6.8.
  ['PUSH_PROMISE', [open, frame(FrameType.pushPromise, 4, 1, words(2))], dead('protocolError', 1)],
  ['PING on a stream', [frame(FrameType.ping, 0, 1, 'evenkeel')], dead('protocolError')],
  ['PING of another length', [ping('seven b')], dead('frameSizeError')],
  ['GOAWAY on a stream', [frame(FrameType.goaway, 0, 1, words(0, 0))], dead('protocolError')],
  ['GOAWAY that is cut off', [frame(FrameType.goaway, 0, 0, words(0))], dead('frameSizeError')],
  // Section 6.9.
  ['WINDOW_UPDATE by nothing', [windowUpdate(0, 0)], dead('protocolError')],
  [
    'WINDOW_UPDATE of another length',
    [frame(FrameType.windowUpdate, 0, 0, 'xxx')],
    dead('frameSizeError'),
  ],
  [
    'a connection window above 2^31-1',
    [windowUpdate(0, 2 ** 31 - 1), windowUpdate(0, 1)],
    dead('flowControlError'),
  ],
  [
    'a window of a stream above 2^31-1 by SETTINGS',
    [
      headers(1, GET),
      windowUpdate(1, 2 ** 31 - 1 - 65_535),
      settings([Setting.initialWindowSize, 65_536]),
    ],
    ['settings ack', ...dead('flowControlError', 1)],
  ],
  // Section 6.10.
  [
    'CONTINUATION after the end of its block',
    [headers(1, GET), frame(CONTINUATION, 4, 1, '')],
    dead('protocolError', 1),
  ],
  [
    'CONTINUATION without a stream',
    [begun, frame(CONTINUATION, 4, 0, block)],
    dead('protocolError'),
  ],
  [
    'CONTINUATION of another stream',
    [begun, frame(CONTINUATION, 4, 3, block)],
    dead('protocolError'),
  ],
  [
    'CONTINUATION after DATA',
    [open, data(1, 'x'), frame(CONTINUATION, 4, 1, block)],
    dead('protocolError', 1),
  ],
];

const HARMLESS: readonly Rule[] = [
  ['unknown frames', [frame(0x16, 0xff, 0, 'x'), ping()], ['ping ack']],
  [
    'unknown flags and the reserved bit',
    [frame(FrameType.ping, 0x16, 2 ** 31, 'evenkeel')],
    ['ping ack'],
  ],
  ['a PING that is an answer', [ping('evenkeel', Flag.ack)], []],
  ['unknown settings', [settings([0xff, 1], [0xfff0, 2])], ['settings ack']],
  [
    'settings twice in one frame',
    [settings([Setting.maxFrameSize, 16_384], [Setting.maxFrameSize, 16_385])],
    ['settings ack'],
  ],
  ['acknowledgements nobody waits for', [settingsAck, settingsAck, ping()], ['ping ack']],
  ['GOAWAY with an unknown code', [goaway(0, 0xff), ping()], ['ping ack']],
  ['RST_STREAM with an unknown code', [open, rstStream(1, 0xff), ping()], ['ping ack']],
  ['PRIORITY of any stream on another', [priority(7, 3), ping()], ['ping ack']],
  ['empty DATA', [open, data(1, ''), ping()], ['ping ack']],
  ['DATA as long as is allowed', [open, data(1, Buffer.alloc(16_384)), ping()], ['ping ack']],
  [
    'WINDOW_UPDATE and RST_STREAM after the end of a stream',
    [headers(1, GET), rstStream(1, 8), windowUpdate(1, 5), rstStream(1, 8), ping()],
    ['ping ack'],
  ],
  ['a block in many frames', [begun, frame(CONTINUATION, 0, 1, ''), rest(), ping()], ['ping ack']],
];

describe('a server', () => {
  it.each(FATAL)('ends the connection at %s', (_, sent, said) => {
    const peer = new WirePeer().start().send(...sent);
    expect(peer.said().filter((line) => !line.startsWith('windowUpdate'))).toEqual(said);
    expect(peer.stream.isEnded).toBe(true);
    peer.runtime.scheduler.advance(3_000);
    expect(peer.stream.isDestroyed).toBe(true);
    expect(peer.runtime.scheduler.pendingCount).toBe(0);
  });

  it.each(HARMLESS)('goes on after %s', (_, sent, said) => {
    const peer = new WirePeer().start().send(...sent);
    expect(peer.said()).toEqual(said);
    expect(peer.stream.isEnded).toBe(false);
  });

  it.each<readonly [string, Buffer, string[]]>([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), dead('protocolError')],
    [
      'a preface with one other letter',
      Buffer.from(PREFACE.toString().replace('SM', 'SN')),
      dead('protocolError'),
    ],
    ['no SETTINGS after the preface', Buffer.concat([PREFACE, ping()]), dead('protocolError')],
    [
      'an acknowledgement after the preface',
      Buffer.concat([PREFACE, settingsAck]),
      dead('protocolError'),
    ],
  ])('ends the connection at %s', (_, bytes, said) => {
    const peer = new WirePeer().send(bytes);
    expect(peer.said()).toEqual(['settings', 'windowUpdate 0 983041', ...said]);
    expect(peer.stream.isEnded).toBe(true);
  });

  it('says its settings first, and acknowledges those of the peer', () => {
    const peer = new WirePeer().send(PREFACE, settings([Setting.maxConcurrentStreams, 5]));
    expect(peer.said()).toEqual(['settings', 'windowUpdate 0 983041', 'settings ack']);
    expect(peer.stream.writeCount).toBe(1);
  });

  it('tells those with streams when the connection breaks, and then nothing more', () => {
    const peer = new WirePeer().start().send(open, data(1, 'abc'), data(0, 'x'), data(1, 'y'));
    expect(peer.heard()).toEqual([
      '1 :method=POST :scheme=http :path=/ :authority=a',
      '1 data abc 3',
      '1 closed protocolError',
    ]);
    peer.stream.destroy();
    expect(peer.heard()).toEqual([
      'session closed: HTTP/2 connection error protocolError: DATA on a stream that is idle',
    ]);
  });
});
