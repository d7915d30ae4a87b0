import { describe, expect, it } from 'vitest';
import { type Fields, blockOf } from '../test-support/field-block.ts';
import { Framing } from './framing.ts';
import { RequestHeadWriter } from './request-head.ts';

const writer = new RequestHeadWriter();

function told(fields: Fields, isEnd = true): string | undefined {
  if (!writer.write(blockOf(fields), isEnd, () => 'a-key')) return undefined;
  return writer.head.bytes.toString('latin1', 0, writer.head.length);
}

const requestOf = (...more: Fields): Fields => [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a.example'],
  [':path', '/p?q'],
  ...more,
];

describe('a request of HTTP/2 in the words of HTTP/1.1', () => {
  it.each([
    ['a GET', requestOf(), true, 'GET /p?q HTTP/1.1\r\nhost: a.example\r\n\r\n'],
    [
      'fields in their order',
      requestOf(['b', '1'], ['a', '2']),
      true,
      'GET /p?q HTTP/1.1\r\nhost: a.example\r\nb: 1\r\na: 2\r\n\r\n',
    ],
    [
      'a body of unknown length',
      requestOf(),
      false,
      'GET /p?q HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    [
      'a body of a known length',
      requestOf(['content-length', '5']),
      false,
      'GET /p?q HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\n',
    ],
    [
      'pairs of a cookie as one field',
      requestOf(['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2']),
      true,
      'GET /p?q HTTP/1.1\r\nhost: a.example\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n',
    ],
    [
      'a host that agrees',
      requestOf(['host', 'A.example']),
      true,
      'GET /p?q HTTP/1.1\r\nhost: a.example\r\n\r\n',
    ],
    [
      'a host alone',
      requestOf(['host', 'b.example']).filter(([name]) => name !== ':authority'),
      true,
      'GET /p?q HTTP/1.1\r\nhost: b.example\r\n\r\n',
    ],
    [
      'neither authority nor host, for the engine to refuse',
      requestOf().filter(([name]) => name !== ':authority'),
      true,
      'GET /p?q HTTP/1.1\r\n\r\n',
    ],
    [
      'te, for this hop only',
      requestOf(['te', 'trailers']),
      true,
      'GET /p?q HTTP/1.1\r\nhost: a.example\r\n\r\n',
    ],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a.example:443'],
      ] satisfies Fields,
      false,
      'CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    [
      'OPTIONS for the whole server',
      [
        [':method', 'OPTIONS'],
        [':authority', 'a.example'],
        [':path', '*'],
      ] satisfies Fields,
      true,
      'OPTIONS * HTTP/1.1\r\nhost: a.example\r\n\r\n',
    ],
    [
      'a WebSocket',
      [
        [':method', 'CONNECT'],
        [':protocol', 'websocket'],
        [':authority', 'a.example'],
        [':path', '/chat'],
        ['sec-websocket-version', '13'],
      ] satisfies Fields,
      false,
      'GET /chat HTTP/1.1\r\nhost: a.example\r\nsec-websocket-version: 13\r\n' +
        'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: a-key\r\n\r\n',
    ],
  ] as const)('tells %s', (_, fields, isEnd, expected) => {
    expect(told(fields, isEnd)).toBe(expected);
  });

  it.each([
    ['a line end in a value', requestOf(['a', 'b\r\ncontent-length: 3'])],
    ['a lone LF in a value', requestOf(['a', 'b\nc: d'])],
    ['a lone CR in a value', requestOf(['a', 'b\rc'])],
    ['NUL in a value', requestOf(['a', 'b\0c'])],
    ['a line end in a name', requestOf(['a: b\r\nc', 'd'])],
    ['a colon in a name', requestOf(['a:b', 'c'])],
    ['an empty name', requestOf(['', 'c'])],
    ['a space in a name', requestOf(['a ', 'c'])],
    ['a line end in the path', [...requestOf().slice(0, 3), [':path', '/ HTTP/1.1\r\nx: y']]],
    ['a space in the path', [...requestOf().slice(0, 3), [':path', '/a HTTP/1.1']]],
    ['an empty path', [...requestOf().slice(0, 3), [':path', '']]],
    ['an absolute path', [...requestOf().slice(0, 3), [':path', 'http://b.example/']]],
    ['an asterisk to GET', [...requestOf().slice(0, 3), [':path', '*']]],
    [
      'a line end in the authority',
      [
        [':method', 'GET'],
        [':authority', 'a\r\nb'],
        [':path', '/'],
      ],
    ],
    ['a space in the method', [[':method', 'GET /x'], ...requestOf().slice(1)]],
    ['an empty method', [[':method', ''], ...requestOf().slice(1)]],
    ['a host that does not agree', requestOf(['host', 'b.example'])],
    ['one of two hosts that does not agree', requestOf(['host', 'a.example'], ['host', 'b'])],
    ['a length without a body', requestOf(['content-length', '3'])],
    [
      'an unknown protocol',
      [
        [':method', 'CONNECT'],
        [':protocol', 'x'],
        [':path', '/'],
      ],
    ],
  ] as const)('refuses %s', (_, fields) => {
    expect(told(fields as Fields)).toBeUndefined();
  });

  it('never passes on what frames a message of HTTP/1.1', () => {
    const fields = requestOf(
      ['transfer-encoding', 'chunked'],
      ['connection', 'close'],
      ['upgrade', 'h2c'],
      ['keep-alive', 'x'],
      ['http2-settings', 'AAMAAABk'],
    );
    expect(told(fields)).toBe('GET /p?q HTTP/1.1\r\nhost: a.example\r\n\r\n');
  });

  it('knows what the answer depends on', () => {
    told([[':method', 'HEAD'], ...requestOf(['content-type', 'Application/gRPC+proto']).slice(1)]);
    expect(writer).toMatchObject({ isHead: true, isGrpc: true, framing: Framing.none });
    told(requestOf(['content-type', 'application/json']), false);
    expect(writer).toMatchObject({ isHead: false, isGrpc: false, framing: Framing.chunked });
  });
});
