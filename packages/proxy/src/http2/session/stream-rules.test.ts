/** What breaks a stream, and leaves the connection as it is: RFC 9113 sections 5.1, 6 and 8, one rule a line. */
import { describe, expect, it } from 'vitest';
import { Flag, FrameType, Setting } from '../frame/frame-type.ts';
import { type Fields, literals } from './test-support/field-text.ts';
import {
  data,
  frame,
  ping,
  priority,
  rstStream,
  settings,
  windowUpdate,
  words,
} from './test-support/frames.ts';
import { GET, headers, POST, WirePeer } from './test-support/wire-peer.ts';

const open = headers(1, POST, false);

type Rule = readonly [rule: string, sent: readonly Buffer[], code: string];

const RULES: readonly Rule[] = [
  ['DATA after the end of a request', [headers(1, GET), data(1, 'x')], 'streamClosed'],
  ['HEADERS after the end of a request', [headers(1, GET), headers(1, GET)], 'streamClosed'],
  ['DATA after RST_STREAM', [open, rstStream(1, 8), data(1, 'x')], 'streamClosed'],
  ['HEADERS after RST_STREAM', [open, rstStream(1, 8), headers(1, GET)], 'streamClosed'],
  [
    'a stream that depends on itself',
    [frame(FrameType.headers, 0x25, 1, Buffer.concat([words(1), Buffer.from([0]), literals(GET)]))],
    'protocolError',
  ],
  ['PRIORITY on itself', [open, priority(1, 1)], 'protocolError'],
  ['PRIORITY of another length', [open, frame(FrameType.priority, 0, 1, 'xxxx')], 'frameSizeError'],
  ['WINDOW_UPDATE by nothing', [open, windowUpdate(1, 0)], 'protocolError'],
  [
    'a window above 2^31-1',
    [open, windowUpdate(1, 2 ** 31 - 1), windowUpdate(1, 1)],
    'flowControlError',
  ],
  [
    'HEADERS in the middle that are not the end',
    [open, headers(1, [['x', 'y']], false)],
    'protocolError',
  ],
  ['trailers with a pseudo-field', [open, headers(1, [[':method', 'POST']])], 'protocolError'],
  ['trailers with a name in upper case', [open, headers(1, [['X', 'y']])], 'protocolError'],
  [
    'less data than announced',
    [headers(1, [...POST, ['content-length', '2']], false), data(1, 'x', Flag.endStream)],
    'protocolError',
  ],
  [
    'less data than announced, in several frames',
    [
      headers(1, [...POST, ['content-length', '3']], false),
      data(1, 'x'),
      data(1, 'y', Flag.endStream),
    ],
    'protocolError',
  ],
  [
    'more data than announced',
    [headers(1, [...POST, ['content-length', '1']], false), data(1, 'xy')],
    'protocolError',
  ],
  ['no data but a length', [headers(1, [...POST, ['content-length', '1']])], 'protocolError'],
  [
    'trailers before all data',
    [headers(1, [...POST, ['content-length', '1']], false), headers(1, [['x', 'y']])],
    'protocolError',
  ],
];

const without = (name: string): Fields => GET.filter(([field]) => field !== name);
const withField = (name: string, value: string): Fields => [...GET, [name, value]];

/** Sections 8.2 and 8.3. */
const MALFORMED: readonly (readonly [rule: string, fields: Fields])[] = [
  ['a name in upper case', withField('X-Test', 'ok')],
  ['an empty name', withField('', 'ok')],
  ['a name with a space', withField('x test', 'ok')],
  ['a name with a colon', withField('x:y', 'ok')],
  ['a value with CR', withField('x', 'a\rb')],
  ['a value with LF', withField('x', 'a\nb')],
  ['a value with NUL', withField('x', 'a\0b')],
  ['a value that begins with a space', withField('x', ' a')],
  ['a value that ends with a tab', withField('x', 'a\t')],
  ['an unknown pseudo-field', [...GET, [':test', 'ok']]],
  ['a pseudo-field of responses', [...GET, [':status', '200']]],
  ['a pseudo-field after a field', [...without(':path'), ['x', 'y'], [':path', '/']]],
  ['connection', withField('connection', 'keep-alive')],
  ['proxy-connection', withField('proxy-connection', 'keep-alive')],
  ['keep-alive', withField('keep-alive', '5')],
  ['transfer-encoding', withField('transfer-encoding', 'chunked')],
  ['upgrade', withField('upgrade', 'h2c')],
  ['te with more than trailers', withField('te', 'trailers, deflate')],
  ['an empty :path', [...without(':path'), [':path', '']]],
  ['a :path that does not begin with /', [...without(':path'), [':path', 'x']]],
  ['* for another method than OPTIONS', [...without(':path'), [':path', '*']]],
  ['a :path with a space', [...without(':path'), [':path', '/ x']]],
  ['no :method', without(':method')],
  ['no :scheme', without(':scheme')],
  ['no :path', without(':path')],
  [':method twice', [[':method', 'GET'], ...GET]],
  [':scheme twice', [[':scheme', 'http'], ...GET]],
  [':path twice', [[':path', '/'], ...GET]],
  [':authority twice', [[':authority', 'a'], ...GET]],
  ['an :authority with user information', [...without(':authority'), [':authority', 'me@a']]],
  ['another host than :authority', withField('host', 'b')],
  ['host twice', [...GET, ['host', 'a'], ['host', 'b']]],
  ['content-length twice', [...GET, ['content-length', '0'], ['content-length', '0']]],
  ['content-length that is no number', withField('content-length', '+1')],
  [
    'CONNECT with a path',
    [
      [':method', 'CONNECT'],
      [':authority', 'a:1'],
      [':path', '/'],
    ],
  ],
  ['CONNECT without an authority', [[':method', 'CONNECT']]],
  [
    'extended CONNECT that was not offered',
    [[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)],
  ],
  [':protocol with another method', [...GET, [':protocol', 'websocket']]],
];

describe('a stream', () => {
  it.each(RULES)('is reset at %s', (_, sent, code) => {
    const peer = new WirePeer().start().send(...sent, ping());
    expect(peer.said()).toEqual([`rstStream 1 ${code}`, 'ping ack']);
    expect(peer.log.filter((line) => line.startsWith('1 closed')).length).toBeLessThan(2);
    expect(peer.session.openCount).toBe(0);
  });

  it.each(MALFORMED)('is reset at %s, and nobody hears of it', (_, fields) => {
    const peer = new WirePeer().start().send(headers(1, fields), headers(3, GET));
    expect(peer.said()).toEqual(['rstStream 1 protocolError']);
    expect(peer.heard()).toEqual(['3 :method=GET :scheme=http :path=/ :authority=a end']);
  });

  it.each<readonly [string, Fields]>([
    ['te: trailers', withField('te', 'trailers')],
    ['no :authority', without(':authority')],
    ['host beside :authority', withField('host', 'A')],
    [
      'OPTIONS *',
      [
        [':method', 'OPTIONS'],
        [':scheme', 'http'],
        [':path', '*'],
      ],
    ],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
    ],
    ['an empty value', withField('x', '')],
    ['bytes above 127 in a value', withField('x', '\xe4')],
  ])('may have %s', (_, fields) => {
    const peer = new WirePeer().start().send(headers(1, fields));
    expect(peer.said()).toEqual([]);
    expect(peer.heard()).toEqual([`1 ${fields.map((field) => field.join('=')).join(' ')} end`]);
  });

  it('ends the connection when it is closed and gets more', () => {
    for (const more of [data(1, 'x'), headers(1, GET)]) {
      const peer = new WirePeer().start().send(headers(1, GET));
      peer.answer(1);
      peer.take();
      expect(peer.send(more).said()).toEqual(['goaway 1 streamClosed']);
    }
  });

  it('takes what was under way when it was reset', () => {
    const peer = new WirePeer().start().send(open);
    peer.streams.get(1)?.reset(8);
    const late = [data(1, 'x'), headers(1, [['x', 'y']]), windowUpdate(1, 1), rstStream(1, 8)];
    expect(peer.send(...late, ping()).said()).toEqual(['rstStream 1 cancel', 'ping ack']);
    expect(peer.heard().slice(1)).toEqual(['1 closed cancel']);
  });

  it('is refused above the limit, until another ends and its work does', () => {
    const peer = new WirePeer({ limits: { maxConcurrentStreams: 2 } }).start();
    peer.send(headers(1, GET), headers(3, GET), headers(5, GET));
    expect(peer.said()).toEqual(['rstStream 5 refusedStream']);
    peer.streams.get(1)?.hold();
    peer.send(rstStream(1, 8), headers(7, GET));
    expect(peer.said()).toEqual(['rstStream 7 refusedStream']);
    peer.streams.get(1)?.release();
    peer.streams.get(1)?.release();
    expect(peer.send(headers(9, GET), headers(11, GET)).said()).toEqual([
      'rstStream 11 refusedStream',
    ]);
  });

  it('is answered with 431 when its fields are too many or too large', () => {
    for (const limits of [{ maxFields: 5 }, { maxHeaderListBytes: 200 }]) {
      const peer = new WirePeer({ limits }).start();
      peer.send(headers(1, [...GET, ['x', 'y'], ['z', 'a'.repeat(100)]], false), headers(3, GET));
      expect(peer.said()).toEqual([
        'headers 1 :status=431 content-length=0 end',
        'rstStream 1 noError',
      ]);
      expect(peer.heard()).toHaveLength(1);
    }
  });

  it('may use extended CONNECT when that was offered', () => {
    const peer = new WirePeer({ limits: { takesConnectProtocol: true } });
    const [offer] = peer.endTurn().take();
    expect(offer?.payload.includes(settings([Setting.enableConnectProtocol, 1]).subarray(9))).toBe(
      true,
    );
    peer
      .start()
      .send(
        headers(1, [[':method', 'CONNECT'], [':protocol', 'websocket'], ...GET.slice(1)], false),
      );
    expect(peer.heard()).toHaveLength(1);
    expect(peer.said()).toEqual([]);
  });

  it('hears a whole exchange in order', () => {
    const peer = new WirePeer().start();
    peer.send(
      open,
      data(1, 'abc'),
      data(1, Buffer.from([2, 0x64, 0, 0]), Flag.padded),
      headers(1, [['x', 'y']]),
    );
    peer.session.fields.begin().text(':status', '103');
    peer.streams.get(1)?.sendFields(false);
    peer.answer(1, 3, false);
    peer.session.fields.beginTrailers().text('grpc-status', '0');
    peer.streams.get(1)?.sendFields(true);
    expect(peer.heard()).toEqual([
      '1 :method=POST :scheme=http :path=/ :authority=a',
      '1 data abc 3',
      '1 data d 1',
      '1 trailers x=y',
      '1 closed noError',
    ]);
    expect(peer.endTurn().said()).toEqual([
      'headers 1 :status=103',
      'headers 1 :status=200',
      'data 1 3',
      'headers 1 grpc-status=0 end',
    ]);
  });
});
