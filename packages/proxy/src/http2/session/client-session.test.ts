/** The client's side: RFC 9113 sections 5.1.1, 6.6, 6.8 and 8. */
import { describe, expect, it } from 'vitest';
import { Flag, FrameType, PREFACE, Setting } from '../frame/frame-type.ts';
import type { Fields } from './test-support/field-text.ts';
import {
  data,
  frame,
  goaway,
  ping,
  rstStream,
  settings,
  settingsAck,
  words,
} from './test-support/frames.ts';
import { GET, headers, POST, WirePeer } from './test-support/wire-peer.ts';

const client = (): WirePeer => new WirePeer({ role: 'client' });
const OK: Fields = [[':status', '200']];
const HEAD: Fields = [[':method', 'HEAD'], ...GET.slice(1)];
const told = (peer: WirePeer): string[] => peer.heard().map((line) => line.replace(/^\d+ /u, ''));

describe('a client', () => {
  it('begins with the preface and its settings, without push', () => {
    const peer = client().endTurn();
    const begun = peer.stream.take();
    expect(begun.subarray(0, 24)).toEqual(PREFACE);
    expect(begun.includes(settings([Setting.enablePush, 0]).subarray(9))).toBe(true);
  });

  it('sends requests with odd numbers, and hears the answers', () => {
    const peer = client().start();
    peer.open(GET);
    peer.open(POST, false).sendData(Buffer.from('abc'), 0, 3, true);
    expect(peer.endTurn().said()).toEqual([
      'headers 1 :method=GET :scheme=http :path=/ :authority=a end',
      'headers 3 :method=POST :scheme=http :path=/ :authority=a',
      'data 3 3 end',
    ]);
    peer.send(
      headers(3, [[':status', '103']], false),
      headers(3, OK, false),
      data(3, 'xy'),
      headers(3, [['t', 'u']]),
    );
    peer.send(headers(1, OK));
    expect(peer.heard()).toEqual([
      '3 :status=103',
      '3 :status=200',
      '3 data xy 2',
      '3 trailers t=u',
      '3 closed noError',
      '1 :status=200 end',
      '1 closed noError',
    ]);
  });

  it.each<readonly [string, readonly Buffer[]]>([
    ['no :status', [headers(1, [['x', 'y']])]],
    [':status that is no number', [headers(1, [[':status', '2x0']])]],
    [':status of four digits', [headers(1, [[':status', '2000']])]],
    [':status twice', [headers(1, [...OK, ...OK])]],
    ['a pseudo-field of requests', [headers(1, [...OK, [':path', '/']])]],
    ['101', [headers(1, [[':status', '101']], false)]],
    ['an informational answer that is the end', [headers(1, [[':status', '103']])]],
    ['transfer-encoding', [headers(1, [...OK, ['transfer-encoding', 'chunked']])]],
    ['DATA before the head', [data(1, 'x')]],
    [
      'less content than announced',
      [headers(1, [...OK, ['content-length', '2']], false), data(1, 'x', Flag.endStream)],
    ],
    ['no content but a length', [headers(1, [...OK, ['content-length', '2']])]],
    ['content with 204', [headers(1, [[':status', '204']], false), data(1, 'x', Flag.endStream)]],
    ['a second head', [headers(1, OK, false), headers(1, OK, false)]],
  ])('resets a stream with %s', (_, sent) => {
    const peer = client().start();
    peer.open(GET);
    expect(
      peer
        .send(...sent, ping())
        .said()
        .slice(1),
    ).toEqual(['rstStream 1 protocolError', 'ping ack']);
    expect(told(peer).at(-1)).toBe('closed protocolError');
  });

  it('lets the answer to HEAD, and 304, announce content that is not there', () => {
    const peer = client().start();
    peer.open(HEAD);
    peer.open(GET);
    peer.open(HEAD);
    const announced: Fields = [...OK, ['content-length', '5']];
    peer.send(
      headers(1, announced),
      headers(3, [
        [':status', '304'],
        ['content-length', '5'],
      ]),
    );
    peer.send(headers(5, announced, false), data(5, 'hello', Flag.endStream));
    expect(peer.said().slice(3)).toEqual(['rstStream 5 protocolError']);
    expect(told(peer).filter((line) => line.startsWith('closed'))).toEqual([
      'closed noError',
      'closed noError',
      'closed protocolError',
    ]);
  });

  it.each<readonly [string, readonly Buffer[]]>([
    ['PUSH_PROMISE', [frame(FrameType.pushPromise, 4, 1, words(2))]],
    ['a stream of the server', [headers(2, OK)]],
    ['HEADERS on a stream that is idle', [headers(3, OK)]],
    ['DATA on a stream that is idle', [data(3, 'x')]],
    ['push switched on', [settings([Setting.enablePush, 1])]],
    [
      'extended CONNECT taken back',
      [settings([Setting.enableConnectProtocol, 1]), settings([Setting.enableConnectProtocol, 0])],
    ],
  ])('ends the connection at %s', (_, sent) => {
    const peer = client().start();
    peer.open(GET);
    peer.said();
    expect(
      peer
        .send(...sent)
        .said()
        .at(-1),
    ).toBe('goaway 0 protocolError');
    expect(told(peer)).toEqual(['closed protocolError']);
    expect(peer.session.canOpen).toBe(false);
  });

  it('opens as many streams as the server takes', () => {
    const peer = client();
    expect(peer.session.canOpen).toBe(true);
    peer.start([Setting.maxConcurrentStreams, 1], [Setting.enableConnectProtocol, 1]);
    expect(peer.session.peerTakesConnectProtocol).toBe(true);
    peer.open(GET);
    expect(peer.session.canOpen).toBe(false);
    peer.send(headers(1, OK));
    expect(peer.session.canOpen).toBe(true);
  });

  it('gives back what GOAWAY says was not begun, and ends after the rest', () => {
    const peer = client().start();
    peer.open(GET);
    peer.open(GET);
    peer.send(goaway(1, 0));
    expect(peer.heard()).toEqual(['3 closed refusedStream', 'goaway 1 noError']);
    expect(peer.session.canOpen).toBe(false);
    expect(peer.stream.isEnded).toBe(false);
    peer.send(headers(1, OK));
    expect(peer.stream.isEnded).toBe(true);
  });

  it('gives streams that were never sent back, too', () => {
    const peer = client().start();
    const log: string[] = [];
    const owner = {
      onFields: () => undefined,
      onData: () => undefined,
      onTrailers: () => undefined,
      onDrain: () => undefined,
      onClose: (code: number) => log.push(String(code)),
    };
    peer.session.open(owner).reset(8);
    const late = peer.session.open(owner);
    peer.stream.destroy();
    peer.session.fields.begin().text(':method', 'GET');
    late.sendFields(true);
    expect(log).toEqual(['8', '7']);
  });

  it('gives back at once what is sent after GOAWAY', () => {
    const peer = client().start();
    peer.open(GET);
    peer.send(goaway(1, 0));
    peer.take();
    peer.heard();
    peer.open(GET);
    expect(peer.heard()).toEqual(['0 closed refusedStream']);
    expect(peer.take()).toEqual([]);
  });

  it('drains: no new streams, and the end after the last one', () => {
    const peer = client().start();
    peer.open(GET);
    peer.said();
    peer.session.drain();
    expect(peer.endTurn().said()).toEqual(['goaway 0 noError']);
    expect(peer.session.canOpen).toBe(false);
    peer.send(headers(1, OK));
    expect(peer.stream.isEnded).toBe(true);
  });

  it('takes an answer that comes before the end of the request', () => {
    const peer = client().start();
    const stream = peer.open(POST, false);
    peer.send(headers(1, OK), rstStream(1, 0));
    expect(peer.heard()).toEqual(['1 :status=200 end', '1 closed noError']);
    expect(stream.sendData(Buffer.from('late'), 0, 4, true)).toBe(true);
    expect(peer.endTurn().said()).toHaveLength(1);
  });

  it('answers settings, and acknowledgements to ours are no surprise', () => {
    const peer = client();
    expect(peer.send(settings(), settingsAck).stream.take().length).toBeGreaterThan(0);
    expect(peer.send(ping()).said()).toEqual(['ping ack']);
  });
});
