import { describe, expect, it } from 'vitest';
import { RecordingStream } from '../test-support/recording-stream.ts';
import { type Asked, ResponseSender } from './response-sender.ts';

const GET: Asked = { isHead: false, isGrpc: false, accept: undefined };
const HEAD: Asked = { ...GET, isHead: true };
const CALL: Asked = { ...GET, isGrpc: true };
const OPEN: Asked = { ...GET, accept: 'proof' };

function sent(parts: readonly string[], asked: Asked, reason?: string): string {
  const stream = new RecordingStream();
  const sender = new ResponseSender(stream, () => reason);
  sender.begin(stream, asked);
  for (const part of parts) sender.send(Buffer.from(part, 'latin1'));
  return `${stream.joined}${sender.isOver ? '' : ' (not over)'}${sender.isBroken ? ' (broken)' : ''}`;
}

const CASES: readonly (readonly [what: string, bytes: string, asked: Asked, expected: string])[] = [
  [
    'a body with a length',
    'HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 5\r\n\r\nhello',
    GET,
    ':status: 200; a: b; content-length: 5;\n[hello] END',
  ],
  [
    'chunks',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    GET,
    ':status: 200;\n[abcde] END',
  ],
  [
    'trailers',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n',
    GET,
    ':status: 200;\n[abc]\nx-sum: 7; END',
  ],
  [
    'an empty body',
    'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
    GET,
    ':status: 404; content-length: 0; END',
  ],
  [
    'the answer to HEAD',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n',
    HEAD,
    ':status: 200; content-length: 5; END',
  ],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', GET, ':status: 204; END'],
  [
    'informational responses first',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na',
    GET,
    ':status: 100;\n:status: 103; link: x;\n:status: 200; content-length: 1;\n[a] END',
  ],
  [
    'nothing that is for one hop',
    'HTTP/1.1 200 OK\r\nconnection: close\r\nkeep-alive: x\r\nproxy-connection: x\r\nupgrade: x\r\ncontent-length: 1\r\n\r\na',
    GET,
    ':status: 200; content-length: 1;\n[a] END',
  ],
  [
    'an open WebSocket',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: proof\r\nx: y\r\n\r\nframes',
    OPEN,
    ':status: 200; x: y;\n[frames] (not over)',
  ],
  [
    'a WebSocket that is not opened, which must not look like one',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    OPEN,
    ':status: 502; content-length: 2;\n[ok] END',
  ],
];

describe('a response of HTTP/1.1 in frames', () => {
  it.each(CASES)('has %s', (_, bytes, asked, expected) => {
    expect(sent([bytes], asked)).toBe(expected);
  });

  it.each(CASES)('is the same however it is cut: %s', (_, bytes, asked, expected) => {
    for (let at = 1; at < bytes.length; at++)
      expect(sent([bytes.slice(0, at), bytes.slice(at)], asked)).toBe(expected);
    expect(sent([...bytes], asked)).toBe(expected);
  });

  it.each([
    ['a switch that nobody asked for', 'HTTP/1.1 101 X\r\nconnection: upgrade\r\n\r\n', GET],
    ['a switch without proof', 'HTTP/1.1 101 X\r\nsec-websocket-accept: other\r\n\r\n', OPEN],
    ['a broken head', 'HTTP/1.1 200 OK\r\nbad line\r\n\r\n', GET],
    ['a broken chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n', GET],
  ])('is broken off for %s', (_, bytes, asked) => {
    expect(sent([bytes], asked)).toContain('(broken)');
  });
});

describe('an answer of the proxy to a call of gRPC', () => {
  const ANSWER =
    'HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\n503\n';

  it('is told in its own way, without the body, however it is cut', () => {
    const expected =
      ':status: 200; content-type: application/grpc; grpc-status: 14; ' +
      'grpc-message: evenkeel: no-endpoint (HTTP status 503); END';
    for (let at = 1; at < ANSWER.length; at++)
      expect(sent([ANSWER.slice(0, at), ANSWER.slice(at)], CALL, 'no-endpoint')).toBe(expected);
  });

  it('is left as it is when it comes from an endpoint, or is of gRPC', () => {
    expect(sent([ANSWER], CALL)).toMatch(/^:status: 503;/);
    const own =
      'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 7\r\ncontent-length: 0\r\n\r\n';
    expect(sent([own], CALL, 'answered')).toMatch(/^:status: 200; .*grpc-status: 7;.* END$/);
  });
});
