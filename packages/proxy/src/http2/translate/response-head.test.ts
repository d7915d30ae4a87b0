import { describe, expect, it } from 'vitest';
import { type Fields, blockOf } from '../test-support/field-block.ts';
import { type AskedFor, ResponseHeadWriter } from './response-head.ts';

const writer = new ResponseHeadWriter();
const GET: AskedFor = { isHead: false, accept: undefined };
const HEAD: AskedFor = { isHead: true, accept: undefined };
const OPEN: AskedFor = { isHead: false, accept: 'proof' };

function told(fields: Fields, isEnd: boolean, asked: AskedFor): string | undefined {
  if (!writer.write(blockOf(fields), isEnd, asked)) return undefined;
  return writer.head.bytes.toString('latin1', 0, writer.head.length);
}

describe('a response of HTTP/2 in the words of HTTP/1.1', () => {
  it.each([
    [
      'one with a length',
      [
        [':status', '200'],
        ['content-length', '3'],
      ],
      false,
      GET,
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n',
    ],
    [
      'one without',
      [
        [':status', '200'],
        ['a', 'b'],
      ],
      false,
      GET,
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\na: b\r\n\r\n',
    ],
    [
      'one that is over',
      [[':status', '404']],
      true,
      GET,
      'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
    ],
    ['204', [[':status', '204']], true, GET, 'HTTP/1.1 204 No Content\r\n\r\n'],
    [
      '304, which may say how long it would be',
      [
        [':status', '304'],
        ['content-length', '3'],
      ],
      true,
      GET,
      'HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n',
    ],
    [
      'the answer to HEAD',
      [
        [':status', '200'],
        ['content-length', '3'],
      ],
      true,
      HEAD,
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n',
    ],
    [
      'an informational one',
      [
        [':status', '103'],
        ['link', '</a>'],
        ['content-length', '9'],
      ],
      false,
      GET,
      'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n',
    ],
    [
      'a status without a name',
      [[':status', '299']],
      true,
      GET,
      'HTTP/1.1 299 Unknown\r\ncontent-length: 0\r\n\r\n',
    ],
    [
      'one of gRPC in chunks, because trailers follow',
      [
        [':status', '200'],
        ['content-type', 'application/grpc'],
        ['content-length', '3'],
      ],
      false,
      GET,
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: application/grpc\r\n\r\n',
    ],
    [
      'one that announces trailers in chunks',
      [
        [':status', '200'],
        ['content-length', '3'],
        ['trailer', 'x'],
      ],
      false,
      GET,
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n',
    ],
    [
      'an open WebSocket as a switch',
      [
        [':status', '200'],
        ['sec-websocket-protocol', 'chat'],
      ],
      false,
      OPEN,
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-accept: proof\r\nsec-websocket-protocol: chat\r\n\r\n',
    ],
    [
      'a WebSocket that is not opened',
      [[':status', '403']],
      true,
      OPEN,
      'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n',
    ],
    [
      'what is for one hop not at all',
      [
        [':status', '200'],
        ['connection', 'close'],
        ['transfer-encoding', 'x'],
        ['content-length', '1'],
      ],
      false,
      GET,
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n',
    ],
  ] as const)('tells %s', (_, fields, isEnd, asked, expected) => {
    expect(told(fields, isEnd, asked)).toBe(expected);
  });

  it.each([
    ['101, which HTTP/2 has not', [[':status', '101']], false, GET],
    ['an informational one that is the end', [[':status', '103']], true, GET],
    ['no status', [], true, GET],
    [
      'a length without a body',
      [
        [':status', '200'],
        ['content-length', '3'],
      ],
      true,
      GET,
    ],
    [
      'a line end in a value',
      [
        [':status', '200'],
        ['a', 'b\r\nc: d'],
      ],
      true,
      GET,
    ],
    [
      'a line end in a name',
      [
        [':status', '200'],
        ['a\r\nb', 'c'],
      ],
      true,
      GET,
    ],
  ] as const)('refuses %s', (_, fields, isEnd, asked) => {
    expect(told(fields, isEnd, asked)).toBeUndefined();
  });
});
