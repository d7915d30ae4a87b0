/** How much of a peer is put up with, and for how long. */
import { describe, expect, it } from 'vitest';
import { Flag, FrameType, Setting } from '../frame/frame-type.ts';
import { literals } from './test-support/field-text.ts';
import {
  clientStart,
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

const CALM = 'goaway 1 enhanceYourCalm';
const few = { burst: 10, perSecond: 5 };

describe('a flood', () => {
  it.each<readonly [string, Buffer]>([
    ['PING', ping()],
    ['SETTINGS', settings()],
    ['empty DATA', data(1, '')],
    ['PRIORITY', priority(1, 3)],
    ['unknown frames', frame(0x20, 0, 0, '')],
    ['RST_STREAM of what is gone', rstStream(1, 8)],
  ])('of %s ends the connection', (name, one) => {
    const limits = { idleFrames: few };
    const peer = new WirePeer({ limits }).start().send(headers(1, POST, false));
    if (name.startsWith('RST')) peer.streams.get(1)?.reset(8);
    // One was spent on the peer's settings.
    peer.send(...Array.from({ length: 9 }, () => one));
    expect(peer.said()).not.toContain(CALM);
    peer.runtime.scheduler.advance(1_000);
    peer.send(...Array.from({ length: 5 }, () => one));
    expect(peer.said()).not.toContain(CALM);
    expect(peer.send(one).said()).toContain(CALM);
  });

  it('of WINDOW_UPDATE ends the connection', () => {
    const peer = new WirePeer({ limits: { windowUpdates: few } }).start().send(headers(1, GET));
    peer.send(...Array.from({ length: 10 }, () => windowUpdate(0, 1)));
    expect(peer.said()).toEqual([]);
    expect(peer.send(windowUpdate(1, 1)).said()).toEqual([CALM]);
  });

  it('of streams that are reset at once ends the connection', () => {
    const peer = new WirePeer({ limits: { resets: few } }).start();
    for (let id = 1; id < 22; id += 2) peer.send(headers(id, GET), rstStream(id, 8));
    expect(peer.said()).toEqual(['goaway 21 enhanceYourCalm']);
  });

  it('of faults that make us reset ends the connection', () => {
    const peer = new WirePeer({ limits: { resets: few } }).start();
    for (let id = 1; id < 22; id += 2) peer.send(headers(id, POST, false), windowUpdate(id, 0));
    const said = peer.said();
    expect(said).toHaveLength(12);
    expect(said.at(-1)).toBe('goaway 21 enhanceYourCalm');
  });

  it('of CONTINUATION ends the connection, by number and by bytes', () => {
    const begun = frame(FrameType.headers, Flag.endStream, 1, literals(GET));
    const more = (bytes: number): Buffer =>
      frame(FrameType.continuation, 0, 1, Buffer.alloc(bytes, 0x82));
    const byNumber = new WirePeer()
      .start()
      .send(begun, ...Array.from({ length: 9 }, () => more(0)));
    expect(byNumber.said()).toEqual(['goaway 0 enhanceYourCalm']);
    const byBytes = new WirePeer().start().send(begun, more(16_384), more(16_384));
    expect(byBytes.said()).toEqual(['goaway 0 enhanceYourCalm']);
  });

  it('of questions whose answers nobody reads closes the connection', () => {
    const peer = new WirePeer({ limits: { maxQueuedControlFrames: 20 } }).start();
    peer.stream.isFull = true;
    peer.send(...Array.from({ length: 21 }, () => ping()));
    expect(peer.stream.isDestroyed).toBe(false);
    peer.send(...Array.from({ length: 21 }, () => ping()));
    expect(peer.stream.isDestroyed).toBe(true);
    expect(peer.heard()).toEqual([
      'session closed: HTTP/2 connection error enhanceYourCalm: the peer asks and does not read',
    ]);
  });
});

describe('a peer that does not read', () => {
  const peerOf = (maxQueuedControlFrames: number): WirePeer => {
    const peer = new WirePeer({ limits: { maxQueuedControlFrames } }).start();
    peer.stream.isFull = true;
    peer.send(ping());
    return peer;
  };

  it('cannot have any number of answers without content made', () => {
    const peer = peerOf(20);
    for (let id = 1; id < 100 && !peer.stream.isDestroyed; id += 2) {
      peer.send(headers(id, GET));
      peer.answer(id);
    }
    expect(peer.streams.size).toBe(21);
    expect(peer.heard().at(-1)).toMatch(/^session closed.*does not read/u);
  });

  it('nor any number of bytes', () => {
    const peer = peerOf(1_000_000);
    let id = 1;
    for (; id < 1_000 && !peer.stream.isDestroyed; id += 2) {
      peer.send(headers(id, GET));
      peer.session.fields.begin().text(':status', '204').text('x', '\xff'.repeat(10_000));
      peer.streams.get(id)?.sendFields(true);
    }
    // 10,000 bytes and their framing, until there are more than 1 MiB.
    expect(id).toBe(1 + 2 * Math.ceil(1_048_576 / 10_020));
  });
});

describe('time', () => {
  const pass = (peer: WirePeer, ms: number): string[] => {
    peer.runtime.scheduler.advance(ms);
    return peer
      .endTurn()
      .said()
      .filter((line) => !line.startsWith('windowUpdate'));
  };

  it('ends for who never begins', () => {
    const peer = new WirePeer();
    expect(pass(peer, 9_000)).toEqual(['settings']);
    expect(pass(peer, 3_000)).toEqual(['goaway 0 protocolError']);
  });

  it('ends for a field block that is never whole', () => {
    const peer = new WirePeer().start().send(frame(FrameType.headers, 0, 1, literals(GET)));
    expect(pass(peer, 9_000)).toEqual([]);
    expect(pass(peer, 3_000)).toEqual(['goaway 0 protocolError']);
  });

  it('ends for who does not acknowledge settings', () => {
    const peer = new WirePeer().send(clientStart, headers(1, GET));
    peer.said();
    expect(pass(peer, 12_000)).toEqual(['goaway 1 settingsTimeout']);
  });

  it('ends for a session without streams, and not while there is one', () => {
    const peer = new WirePeer().start().send(headers(1, GET));
    expect(pass(peer, 200_000)).toEqual([]);
    peer.answer(1);
    peer.said();
    expect(pass(peer, 59_000)).toEqual([]);
    expect(pass(peer, 3_000)).toEqual(['goaway 1 noError']);
    expect(pass(peer, 3_000)).toEqual([]);
    expect(peer.stream.isDestroyed).toBe(true);
  });

  it('ends for a stream whose window stays closed, and not while it moves', () => {
    const peer = new WirePeer()
      .start([Setting.initialWindowSize, 0])
      .send(headers(1, GET), headers(3, GET));
    peer.answer(1, 100);
    peer.answer(3, 100);
    peer.said();
    for (let count = 0; count < 40; count++) {
      peer.send(windowUpdate(3, 1));
      peer.runtime.scheduler.advance(1_000);
    }
    expect(
      peer
        .endTurn()
        .said()
        .filter((line) => !line.startsWith('data 3')),
    ).toEqual(['rstStream 1 cancel']);
    expect(pass(peer, 33_000)).toEqual(['rstStream 3 cancel']);
  });

  it('is asked for by PING when there is silence, and ends without an answer', () => {
    const peer = new WirePeer({ limits: { keepAliveMs: 5_000 } }).start().send(headers(1, GET));
    expect(pass(peer, 8_000)).toEqual(['ping']);
    peer.send(frame(FrameType.ping, Flag.ack, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])));
    expect(pass(peer, 8_000)).toEqual(['ping']);
    expect(peer.stream.isDestroyed).toBe(false);
    pass(peer, 12_000);
    expect(peer.stream.isDestroyed).toBe(true);
    expect(peer.heard()).toContain('session closed');
  });
});

describe('leaving', () => {
  const pong = frame(FrameType.ping, Flag.ack, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, 2]));

  it('takes what is under way, and ends after the last stream', () => {
    const peer = new WirePeer().start().send(headers(1, GET));
    peer.session.drain();
    expect(peer.endTurn().said()).toEqual(['goaway 2147483647 noError', 'ping']);
    peer.send(headers(3, GET), pong, headers(5, GET), data(5, 'x'));
    expect(peer.said()).toEqual(['goaway 3 noError']);
    expect(peer.session.openCount).toBe(2);
    peer.answer(1);
    peer.answer(3, 0, false);
    expect(peer.stream.isEnded).toBe(false);
    peer.streams.get(3)?.sendData(Buffer.from('abc'), 0, 3, true);
    expect(peer.stream.isEnded).toBe(true);
    expect(peer.said()).toEqual([
      'headers 1 :status=200 end',
      'headers 3 :status=200',
      'data 3 3 end',
    ]);
  });

  it('does not wait for ever for an answer', () => {
    const peer = new WirePeer().start();
    peer.session.drain();
    peer.runtime.scheduler.advance(12_000);
    expect(peer.endTurn().said()).toEqual([
      'goaway 2147483647 noError',
      'ping',
      'goaway 0 noError',
    ]);
    expect(peer.stream.isEnded).toBe(true);
  });

  it('ends when the peer does, after what it still wants', () => {
    const peer = new WirePeer().start().send(headers(1, GET), headers(3, POST, false));
    peer.session.onEnd();
    expect(peer.heard().slice(2)).toEqual(['3 closed cancel']);
    peer.answer(1, 5);
    expect(peer.said()).toEqual(['headers 1 :status=200', 'data 1 5 end']);
    expect(peer.stream.isEnded).toBe(true);
    const idle = new WirePeer().send(clientStart, settingsAck);
    idle.session.onEnd();
    expect(idle.stream.isEnded).toBe(true);
  });

  it('closes all streams when the connection is lost, and then itself', () => {
    const peer = new WirePeer().start().send(headers(1, GET), headers(3, POST, false));
    peer.stream.destroy();
    expect(peer.heard().slice(2)).toEqual([
      '1 closed internalError',
      '3 closed internalError',
      'session closed',
    ]);
    peer.answer(1, 5);
    expect(peer.runtime.scheduler.pendingCount).toBeLessThan(2);
  });

  it('tells when it becomes idle and when it is not any more', () => {
    const peer = new WirePeer().start().send(headers(1, GET), headers(3, GET));
    peer.answer(1);
    peer.answer(3);
    expect(peer.log.filter((line) => ['idle', 'busy'].includes(line))).toEqual(['busy', 'idle']);
  });
});
