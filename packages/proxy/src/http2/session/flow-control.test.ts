/** Windows and turns: RFC 9113 sections 5.2 and 6.9. */
import { describe, expect, it } from 'vitest';
import { Flag, Setting } from '../frame/frame-type.ts';
import type { Http2Stream } from '../http2-stream.ts';
import { data, rstStream, settings, windowUpdate } from './test-support/frames.ts';
import { GET, headers, POST, WirePeer } from './test-support/wire-peer.ts';

const window = (bytes: number) => [Setting.initialWindowSize, bytes] as const;
const streamOf = (peer: WirePeer, id: number): Http2Stream => peer.streams.get(id) as Http2Stream;

describe('what is sent', () => {
  it('is no more than the window of the stream', () => {
    const peer = new WirePeer().start(window(1)).send(headers(1, GET));
    expect(peer.answer(1, 3)).toBe(false);
    expect(peer.said()).toEqual(['headers 1 :status=200', 'data 1 1']);
    expect(peer.send(windowUpdate(1, 1)).said()).toEqual(['data 1 1']);
    expect(peer.send(windowUpdate(1, 100)).said()).toEqual(['data 1 1 end']);
    expect(peer.heard().slice(1)).toEqual(['1 closed noError']);
  });

  it('is no more than the window of the connection', () => {
    const peer = new WirePeer().start(window(100_000)).send(headers(1, GET), headers(3, GET));
    peer.answer(1, 65_000);
    peer.answer(3, 1_000);
    const sent = peer.said().filter((line) => line.startsWith('data'));
    expect(sent).toEqual([
      'data 1 16384',
      'data 1 16384',
      'data 1 16384',
      'data 1 15848 end',
      'data 3 535',
    ]);
    expect(peer.send(windowUpdate(0, 465)).said()).toEqual(['data 3 465 end']);
  });

  it('follows settings that widen and narrow the windows of open streams, below zero too', () => {
    const peer = new WirePeer().start(window(3)).send(headers(1, GET));
    peer.answer(1, 10);
    expect(peer.said()).toEqual(['headers 1 :status=200', 'data 1 3']);
    expect(peer.send(settings(window(5))).said()).toEqual(['settings ack', 'data 1 2']);
    // 5 sent: the window is 1 - 5 = -4 now.
    expect(peer.send(settings(window(1))).said()).toEqual(['settings ack']);
    expect(peer.send(windowUpdate(1, 4)).said()).toEqual([]);
    expect(peer.send(windowUpdate(1, 1)).said()).toEqual(['data 1 1']);
    expect(peer.send(settings(window(5))).said()).toEqual(['settings ack', 'data 1 4 end']);
  });

  it('follows the last of several settings in one frame', () => {
    const peer = new WirePeer().start().send(settings(window(100), window(1)), headers(1, GET));
    peer.answer(1, 3);
    expect(peer.said()).toEqual(['settings ack', 'headers 1 :status=200', 'data 1 1']);
  });

  it('goes in turns, whoever came first', () => {
    const peer = new WirePeer().start(window(1_000_000));
    peer.send(windowUpdate(0, 1_000_000), headers(1, GET), headers(3, GET));
    peer.stream.isFull = true;
    peer.answer(1, 150_000);
    peer.answer(3, 20_000);
    peer.take();
    peer.stream.isFull = false;
    peer.session.onDrain();
    expect(peer.endTurn().said()).toEqual([
      'headers 3 :status=200',
      'data 1 16384',
      'data 3 16384',
      'data 1 16384',
      'data 3 3616 end',
      'data 1 16384',
      'data 1 16384',
      'data 1 16384',
      'data 1 2544 end',
    ]);
  });

  it('ends without a window, and in the last frame where it can', () => {
    const peer = new WirePeer().start(window(0)).send(headers(1, GET), headers(3, GET));
    peer.answer(1, 5, false);
    peer.answer(3, 0, false);
    streamOf(peer, 3).sendData(Buffer.alloc(0), 0, 0, true);
    expect(peer.endTurn().said()).toEqual([
      'headers 1 :status=200',
      'headers 3 :status=200',
      'data 3 0 end',
    ]);
    streamOf(peer, 1).sendData(Buffer.alloc(0), 0, 0, true);
    expect(peer.send(windowUpdate(1, 5)).said()).toEqual(['data 1 5 end']);
  });

  it('keeps trailers behind the data, encoded so that nothing sent meanwhile matters', () => {
    const peer = new WirePeer().start(window(0)).send(headers(1, GET), headers(3, GET));
    peer.answer(1, 5, false);
    peer.session.fields.beginTrailers().text('x-trailer', 'yes').text('grpc-status', '0');
    streamOf(peer, 1).sendFields(true);
    for (let count = 0; count < 3; count++) {
      peer.session.fields.begin().text(':status', '103').text('x-trailer', 'yes');
      streamOf(peer, 3).sendFields(false);
    }
    peer.endTurn().said();
    expect(peer.send(windowUpdate(1, 5)).said()).toEqual([
      'data 1 5',
      'headers 1 x-trailer=yes grpc-status=0 end',
    ]);
  });

  it('is announced to go on when the queue is empty', () => {
    const peer = new WirePeer().start(window(4)).send(headers(1, GET));
    expect(peer.answer(1, 4, false)).toBe(true);
    expect(streamOf(peer, 1).sendData(Buffer.from('abc'), 0, 3, false)).toBe(false);
    peer.heard();
    peer.send(windowUpdate(1, 2));
    expect(peer.heard()).toEqual([]);
    peer.send(windowUpdate(1, 1));
    expect(peer.heard()).toEqual(['1 drain']);
  });

  it('is told to be over when the other side goes on', () => {
    const peer = new WirePeer().start(window(3)).send(headers(1, POST, false), headers(3, GET));
    const ends: number[] = [];
    for (const id of [1, 3]) {
      const stream = streamOf(peer, id);
      stream.owner = { ...stream.owner, onEndSent: () => ends.push(id) };
    }
    peer.answer(1, 5);
    peer.answer(3, 3);
    expect(ends).toEqual([]);
    peer.send(windowUpdate(1, 2));
    // The other one is closed instead.
    expect(ends).toEqual([1]);
  });

  it('waits for the socket, and is dropped with its stream', () => {
    const peer = new WirePeer()
      .start(window(1_000_000))
      .send(windowUpdate(0, 1_000_000), headers(1, GET));
    peer.stream.isFull = true;
    peer.answer(1, 200_000);
    peer.take();
    peer.send(rstStream(1, 8));
    peer.stream.isFull = false;
    peer.session.onDrain();
    expect(peer.endTurn().said()).toEqual([]);
  });

  it('goes out in one write per turn, and earlier only when there is much of it', () => {
    const peer = new WirePeer().start().send(headers(1, GET), headers(3, GET), headers(5, GET));
    const before = peer.stream.writeCount;
    for (const id of [1, 3, 5]) {
      peer.session.fields.begin().text(':status', '200');
      streamOf(peer, id).sendFields(false);
      streamOf(peer, id).sendData(Buffer.alloc(100), 0, 100, true);
    }
    peer.endTurn();
    expect(peer.stream.writeCount).toBe(before + 1);
    expect(peer.said()).toHaveLength(6);
  });
});

describe('what is received', () => {
  const limits = { streamWindowBytes: 100_000, connectionWindowBytes: 150_000 };
  const open = headers(1, POST, false);
  const piece = (id: number, bytes = 10_000): Buffer => data(id, Buffer.alloc(bytes));

  it('is credited only when it was handed on, half a window at a time', () => {
    const peer = new WirePeer({ limits, consumes: false }).start().send(open);
    peer.send(...Array.from({ length: 10 }, () => piece(1)));
    expect(peer.said()).toEqual([]);
    streamOf(peer, 1).consume(49_999);
    expect(peer.endTurn().said()).toEqual([]);
    streamOf(peer, 1).consume(1);
    expect(peer.endTurn().said()).toEqual(['windowUpdate 1 50000']);
    streamOf(peer, 1).consume(50_000);
    expect(peer.endTurn().said()).toEqual(['windowUpdate 0 100000', 'windowUpdate 1 50000']);
  });

  it('breaks the stream when it is more than the window', () => {
    const peer = new WirePeer({ limits, consumes: false }).start().send(open);
    peer.send(...Array.from({ length: 10 }, () => piece(1)), piece(1, 1));
    // All of it is thrown away, and the connection goes on.
    expect(peer.said()).toEqual(['rstStream 1 flowControlError', 'windowUpdate 0 100000']);
  });

  it('breaks the connection when it is more than the connection window', () => {
    const peer = new WirePeer({ limits, consumes: false }).start();
    peer.send(open, headers(3, POST, false));
    peer.send(...Array.from({ length: 15 }, (_, index) => piece(index < 8 ? 1 : 3)), piece(3, 1));
    expect(peer.said()).toEqual(['goaway 3 flowControlError']);
  });

  it('counts for the connection when its stream is gone, and when it is padding', () => {
    const peer = new WirePeer({ limits, consumes: false }).start().send(open);
    streamOf(peer, 1).reset(8);
    peer.endTurn().said();
    const padded = data(
      1,
      Buffer.concat([Buffer.from([255]), Buffer.alloc(255 + 5_000)]),
      Flag.padded,
    );
    peer.send(...Array.from({ length: 6 }, () => piece(1)), padded, padded);
    expect(peer.said()).toEqual([]);
    expect(peer.send(piece(1, 5_000)).said()).toEqual([
      `windowUpdate 0 ${60_000 + 2 * 5_256 + 5_000}`,
    ]);
  });

  it('holds a narrow window only when the peer knows of it', () => {
    const narrow = { streamWindowBytes: 1_000 };
    const peer = new WirePeer({ limits: narrow, consumes: false });
    peer.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings(), open, piece(1, 900));
    peer.endTurn().said();
    // Now it knows: what is open has 100 left, what comes 1,000.
    peer.send(Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]), headers(3, POST, false), piece(3, 1_000));
    expect(peer.send(piece(1, 101)).said()).toEqual(['rstStream 1 flowControlError']);
    expect(peer.send(piece(3, 1)).said()).toEqual(['rstStream 3 flowControlError']);
  });
});
