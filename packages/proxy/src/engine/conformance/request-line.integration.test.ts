/** Request lines. RFC 9112 sections 2 and 3, RFC 9110 sections 7.6.2, 9 and 15. */
import { describe, expect, it } from 'vitest';
import { accepts, acceptsLast, bench, refuses, statusesOf } from '../test-support/conformance.ts';

const given = bench();

const HOST = 'host: a\r\n';
/** A request with this line, as it is sent. */
const of = (line: string, fields = HOST): string => `${line}\r\n${fields}\r\n`;

describe('a request line that goes on', () => {
  accepts(given, [
    ['GET', of('GET / HTTP/1.1'), of('GET / HTTP/1.1')],
    ['OPTIONS', of('OPTIONS / HTTP/1.1'), of('OPTIONS / HTTP/1.1')],
    ['a method that nobody knows', of('BREW /pot HTTP/1.1'), of('BREW /pot HTTP/1.1')],
    ['a method in lower case', of('get / HTTP/1.1'), of('get / HTTP/1.1')],
    [
      'a method of all signs',
      of("!#$%&'*+-.^_`|~09aZ / HTTP/1.1"),
      of("!#$%&'*+-.^_`|~09aZ / HTTP/1.1"),
    ],
    ['a minor version of the future', of('GET / HTTP/1.9'), of('GET / HTTP/1.1')],
    ['one empty line before', `\r\n${of('GET / HTTP/1.1')}`, of('GET / HTTP/1.1')],
    ['two empty lines before', `\r\n\r\n${of('GET / HTTP/1.1')}`, of('GET / HTTP/1.1')],
    ['a query', of('GET /?a=b&c HTTP/1.1'), of('GET /?a=b&c HTTP/1.1')],
    ['percent-encoding as it is', of('GET /%2e%2E/%00 HTTP/1.1'), of('GET /%2e%2E/%00 HTTP/1.1')],
    ['dots as they are', of('GET /a/../b HTTP/1.1'), of('GET /a/../b HTTP/1.1')],
    ['two slashes first', of('GET //b.example/x HTTP/1.1'), of('GET //b.example/x HTTP/1.1')],
    [
      'a target of 8,000 bytes',
      of(`GET /${'x'.repeat(7_999)} HTTP/1.1`),
      of(`GET /${'x'.repeat(7_999)} HTTP/1.1`),
    ],
    [
      'absolute form',
      of('GET http://b.example/x?y HTTP/1.1', 'host: b.example\r\n'),
      of('GET /x?y HTTP/1.1', 'host: b.example\r\n'),
    ],
    [
      'absolute form against host',
      of('GET http://b.example/ HTTP/1.1'),
      of('GET / HTTP/1.1', 'host: b.example\r\n'),
    ],
    [
      'absolute form with a port',
      of('GET http://b.example:81/ HTTP/1.1'),
      of('GET / HTTP/1.1', 'host: b.example:81\r\n'),
    ],
    [
      'absolute form without a path',
      of('GET http://b.example HTTP/1.1'),
      of('GET / HTTP/1.1', 'host: b.example\r\n'),
    ],
    [
      'absolute form with a query alone',
      of('GET http://b.example?q HTTP/1.1'),
      of('GET /?q HTTP/1.1', 'host: b.example\r\n'),
    ],
    [
      'absolute form in capitals',
      of('GET HTTPS://b.example/ HTTP/1.1'),
      of('GET / HTTP/1.1', 'host: b.example\r\n'),
    ],
    ['asterisk form', of('OPTIONS * HTTP/1.1'), of('OPTIONS * HTTP/1.1')],
    [
      'OPTIONS of a host without a path',
      of('OPTIONS http://b.example HTTP/1.1'),
      of('OPTIONS * HTTP/1.1', 'host: b.example\r\n'),
    ],
    ['TRACE', of('TRACE / HTTP/1.1'), of('TRACE / HTTP/1.1')],
    [
      'TRACE with forwards left',
      of('TRACE / HTTP/1.1', `${HOST}max-forwards: 5\r\n`),
      of('TRACE / HTTP/1.1', `${HOST}max-forwards: 4\r\n`),
    ],
    [
      'OPTIONS with forwards left',
      of('OPTIONS * HTTP/1.1', `${HOST}Max-Forwards: 1\r\n`),
      of('OPTIONS * HTTP/1.1', `${HOST}max-forwards: 0\r\n`),
    ],
    [
      'max-forwards of another method',
      of('GET / HTTP/1.1', `${HOST}max-forwards: 0\r\n`),
      of('GET / HTTP/1.1', `${HOST}max-forwards: 0\r\n`),
    ],
  ]);

  acceptsLast(given, [
    ['HTTP/1.0 without host', of('GET / HTTP/1.0', ''), of('GET / HTTP/1.1', '')],
    ['HTTP/1.0 with host', of('GET / HTTP/1.0'), of('GET / HTTP/1.1')],
    [
      'absolute form on HTTP/1.0',
      of('GET http://b.example/ HTTP/1.0', ''),
      of('GET / HTTP/1.1', 'host: b.example\r\n'),
    ],
  ]);
});

describe('a request line that is refused', () => {
  refuses(given, [
    ['HTTP/0.9', 'GET /\r\n', 400],
    ['no target', of('GET HTTP/1.1'), 400],
    ['no version but a space', of('GET / '), 400],
    ['no method', of(' / HTTP/1.1'), 400],
    ['two spaces before the target', of('GET  / HTTP/1.1'), 400],
    ['two spaces after the target', of('GET /  HTTP/1.1'), 400],
    ['a space in the target', of('GET /a b HTTP/1.1'), 400],
    ['a space after the version', of('GET / HTTP/1.1 '), 400],
    ['a space before the method', of(' GET / HTTP/1.1'), 400],
    ['a tab for a space', of('GET\t/ HTTP/1.1'), 400],
    ['a tab after the target', of('GET /\tHTTP/1.1'), 400],
    ['a vertical tab for a space', of('GET\x0b/ HTTP/1.1'), 400],
    ['a bare CR in the line', of('GET /\r HTTP/1.1'), 400],
    ['a bare LF at its end', 'GET / HTTP/1.1\nhost: a\n\n', 400],
    ['CR CR LF at its end', of('GET / HTTP/1.1\r'), 400],
    ['NUL in the method', of('GE\0T / HTTP/1.1'), 400],
    ['NUL in the target', of('GET /\0 HTTP/1.1'), 400],
    ['DEL in the target', of('GET /\x7f HTTP/1.1'), 400],
    ['a byte above 127 in the target', of('GET /\xe4 HTTP/1.1'), 400],
    ['a byte above 127 in the method', of('G\xc9T / HTTP/1.1'), 400],
    ['a delimiter in the method', of('GET/ / HTTP/1.1'), 400],
    ['a method with brackets', of('G[E]T / HTTP/1.1'), 400],
    ['a method that is too long', of(`${'A'.repeat(33)} / HTTP/1.1`), 501],
    ['a fragment', of('GET /#x HTTP/1.1'), 400],
    ['a target that is no path', of('GET x HTTP/1.1'), 400],
    ['a target that is a query', of('GET ?x HTTP/1.1'), 400],
    ['a backslash first', of('GET \\x HTTP/1.1'), 400],
    ['an asterisk for GET', of('GET * HTTP/1.1'), 400],
    ['an asterisk and more', of('OPTIONS ** HTTP/1.1'), 400],
    ['authority form for GET', of('GET a.example:80 HTTP/1.1'), 400],
    ['another scheme', of('GET ftp://a/ HTTP/1.1'), 400],
    ['a scheme with one slash', of('GET http:/a/ HTTP/1.1'), 400],
    ['a scheme without a host', of('GET http:///x HTTP/1.1'), 400],
    ['a user in the target', of('GET http://u:p@a/ HTTP/1.1'), 400],
    ['a bad port in the target', of('GET http://a:99999/ HTTP/1.1'), 400],
    ['a port of letters in the target', of('GET http://a:x/ HTTP/1.1'), 400],
    ['an encoded host in the target', of('GET http://%61/ HTTP/1.1'), 400],
    ['a target of 8,193 bytes', of(`GET /${'x'.repeat(8_192)} HTTP/1.1`), 414],
    ['a target of 60,000 bytes', of(`GET /${'x'.repeat(60_000)} HTTP/1.1`), 414],
    ['HTTP/2.0', of('GET / HTTP/2.0'), 505],
    ['HTTP/3.0', of('GET / HTTP/3.0'), 505],
    ['HTTP/0.9 written out', of('GET / HTTP/0.9'), 505],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['a name in lower case', of('GET / http/1.1'), 400],
    ['another name', of('GET / HTTX/1.1'), 400],
    ['a version without its minor', of('GET / HTTP/1'), 400],
    ['a version with a comma', of('GET / HTTP/1,1'), 400],
    ['a version of two digits', of('GET / HTTP/1.10'), 400],
    ['a major of two digits', of('GET / HTTP/11.1'), 400],
    ['a version with a sign', of('GET / HTTP/+1.1'), 400],
    ['a version with a space', of('GET / HTTP /1.1'), 400],
    ['three empty lines before', `\r\n\r\n\r\n${of('GET / HTTP/1.1')}`, 400],
    ['an empty line of LF before', `\n${of('GET / HTTP/1.1')}`, 400],
    ['an empty line of CR before', `\r${of('GET / HTTP/1.1')}`, 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['CONNECT', of('CONNECT a.example:443 HTTP/1.1'), 405],
    ['CONNECT of a path', of('CONNECT / HTTP/1.1'), 400],
    ['CONNECT without a port', of('CONNECT a.example HTTP/1.1'), 400],
    ['TRACE that may go no further', of('TRACE / HTTP/1.1', `${HOST}max-forwards: 0\r\n`), 405],
    [
      'two max-forwards',
      of('TRACE / HTTP/1.1', `${HOST}max-forwards: 0\r\nmax-forwards: 9\r\n`),
      400,
    ],
    [
      'max-forwards that is no number',
      of('OPTIONS * HTTP/1.1', `${HOST}max-forwards: 1x\r\n`),
      400,
    ],
  ]);
});

describe('OPTIONS that may go no further', () => {
  it('is answered here, and the connection stays (RFC 9110 section 7.6.2)', async () => {
    given.origin.taken();
    const client = await given.connect();
    const request = of('OPTIONS * HTTP/1.1', `${HOST}max-forwards: 0\r\n`);
    client.send(request + request);
    await client.until(() => statusesOf(client.received).length === 2);
    expect(statusesOf(client.received)).toEqual([204, 204]);
    expect(client.received).toMatch(/^allow: /m);
    expect(given.origin.taken()).toEqual({ requests: [], fragments: [] });
  });
});

describe('405', () => {
  it('says what is allowed (RFC 9110 section 15.5.6)', async () => {
    const client = await given.connect();
    client.send(of('CONNECT a.example:443 HTTP/1.1'));
    await client.untilEnd();
    expect(client.received).toMatch(/^allow: GET, HEAD, /m);
  });
});
