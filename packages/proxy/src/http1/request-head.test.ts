import { describe, expect, it } from 'vitest';
import { DEFAULT_HEAD_LIMITS } from './head-limits.ts';
import { Field } from './known-field.ts';
import { RequestHead } from './request-head.ts';
import { TargetForm } from './request-target.ts';
import { readRequest } from './test-support/read-head.ts';

const HOST = 'host: a\r\n';

describe('a good request head', () => {
  it('is read in place', () => {
    const head = new RequestHead();
    const text = `GET /a/b?c=d HTTP/1.1\r\nHost: example.com:80\r\nX-One:  1 \t\r\n\r\nbody`;
    const bytes = Buffer.from(text);
    expect(readRequest(bytes, head)).toBe('complete');
    const slice = (from: number, to: number): string => bytes.toString('latin1', from, to);
    expect(slice(head.from, head.methodTo)).toBe('GET');
    expect(slice(head.targetFrom, head.targetTo)).toBe('/a/b?c=d');
    expect(slice(head.target.pathFrom, head.target.queryFrom)).toBe('/a/b');
    expect(head.fields.text(bytes, Field.host)).toBe('example.com:80');
    expect(slice(head.fields.valueFrom(1), head.fields.valueTo(1))).toBe('1');
    expect(slice(head.end, bytes.length)).toBe('body');
    expect(head.keepsConnection).toBe(true);
  });

  it.each([
    ['an empty line before it', `\r\nGET / HTTP/1.1\r\n${HOST}\r\n`],
    ['version 1.0 without host', 'GET / HTTP/1.0\r\n\r\n'],
    ['a higher minor version', `GET / HTTP/1.7\r\n${HOST}\r\n`],
    ['an unknown method', `BREW /pot HTTP/1.1\r\n${HOST}\r\n`],
    ['an empty field value', `GET / HTTP/1.1\r\n${HOST}x:\r\n\r\n`],
    ['bytes above 127 in a value', `GET / HTTP/1.1\r\n${HOST}x: \xe4\xff\r\n\r\n`],
    ['an empty host', 'GET / HTTP/1.1\r\nhost:\r\n\r\n'],
    ['an IPv6 host', 'GET / HTTP/1.1\r\nhost: [::1]:8080\r\n\r\n'],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
    ['connect', `CONNECT a.example:443 HTTP/1.1\r\n${HOST}\r\n`],
    ['absolute form', `GET http://a.example/x HTTP/1.1\r\n${HOST}\r\n`],
    ['absolute form without a path', `GET http://a.example HTTP/1.1\r\n${HOST}\r\n`],
    ['odd but visible bytes in the target', `GET /"<>\\^\`{|} HTTP/1.1\r\n${HOST}\r\n`],
    ['an expectation', `PUT / HTTP/1.1\r\n${HOST}expect: 100-Continue\r\n\r\n`],
    ['an unknown expectation on 1.0', `PUT / HTTP/1.0\r\n${HOST}expect: tea\r\n\r\n`],
  ])('may have %s', (_, text) => {
    expect(readRequest(text)).toBe('complete');
  });

  it.each([
    ['GET http://a.example:81/x?y HTTP/1.1', TargetForm.absolute, 'a.example:81', '/x?y'],
    ['GET https://a.example?y HTTP/1.1', TargetForm.absolute, 'a.example', '?y'],
    ['CONNECT [::1]:443 HTTP/1.1', TargetForm.authority, '[::1]:443', ''],
    ['OPTIONS * HTTP/1.1', TargetForm.asterisk, '', '*'],
  ])('%s has its parts', (line, form, authority, path) => {
    const head = new RequestHead();
    const bytes = Buffer.from(`${line}\r\n${HOST}\r\n`);
    expect(readRequest(bytes, head)).toBe('complete');
    const { target } = head;
    expect(target.form).toBe(form);
    expect(bytes.toString('latin1', target.authorityFrom, target.authorityTo)).toBe(authority);
    expect(bytes.toString('latin1', target.pathFrom, target.pathTo)).toBe(path);
  });

  it.each([
    ['1.1', '', true],
    ['1.1', 'connection: close\r\n', false],
    ['1.1', 'connection: Keep-Alive, CLOSE\r\n', false],
    ['1.0', '', false],
    ['1.0', 'connection: keep-alive\r\n', true],
  ])('HTTP/%s with "%s" keeps the connection: %s', (version, line, keeps) => {
    const head = new RequestHead();
    expect(readRequest(`GET / HTTP/${version}\r\n${HOST}${line}\r\n`, head)).toBe('complete');
    expect(head.keepsConnection).toBe(keeps);
  });

  it('knows HEAD by its exact name', () => {
    const bytes = (method: string): Buffer => Buffer.from(`${method} / HTTP/1.1\r\n${HOST}\r\n`);
    const head = new RequestHead();
    readRequest(bytes('HEAD'), head);
    expect(head.isHead(bytes('HEAD'))).toBe(true);
    readRequest(bytes('head'), head);
    expect(head.isHead(bytes('head'))).toBe(false);
  });
});

describe('a head that is not one', () => {
  it.each([
    ['GET  / HTTP/1.1', '400'],
    ['GET / HTTP/1.1 ', '400'],
    ['GET /\tHTTP/1.1', '400'],
    [' GET / HTTP/1.1', '400'],
    ['GET /', '400'],
    ['GET / ', '400'],
    ['GET /a b HTTP/1.1', '400'],
    ['GET /a#b HTTP/1.1', '400'],
    ['GET /\x7f HTTP/1.1', '400'],
    ['GET /\xe4 HTTP/1.1', '400'],
    ['GET a HTTP/1.1', '400'],
    ['GET * HTTP/1.1', '400'],
    ['GET ftp://a/ HTTP/1.1', '400'],
    ['GET http:///x HTTP/1.1', '400'],
    ['GET http://user@a/ HTTP/1.1', '400'],
    ['CONNECT a HTTP/1.1', '400'],
    ['CONNECT /x HTTP/1.1', '400'],
    ['G(T / HTTP/1.1', '400'],
    ['GET / http/1.1', '400'],
    ['GET / HTTP/11', '400'],
    ['GET / HTTP/1.11', '400'],
    ['GET / HTTP/2.0', '505'],
    ['GET / HTTP/0.9', '505'],
    [`${'M'.repeat(33)} / HTTP/1.1`, '501'],
    [`GET /${'x'.repeat(8_192)} HTTP/1.1`, '414'],
  ])('%j as its first line is answered with %s', (line, status) => {
    expect(readRequest(`${line}\r\n${HOST}\r\n`)).toMatch(new RegExp(`^${status}: `));
  });

  it.each([
    ['a space before the colon', 'x : 1'],
    ['no colon', 'x'],
    ['no name', ': 1'],
    ['a folded line', 'x: 1\r\n 2'],
    ['a control byte in a name', 'x\x01: 1'],
    ['NUL in a value', 'x: \0'],
    ['a bare CR in a value', 'x: 1\r2'],
    ['a bare LF as line end', 'x: 1\ny: 2'],
    ['two hosts', 'host: a'],
    ['a host with a user', 'x: 1\r\nHOST: u@b'],
    ['a signed length', 'content-length: +1'],
    ['an empty length', 'content-length:'],
    ['a length in hexadecimal', 'content-length: 0x1'],
    ['a length that is a list', 'content-length: 1, 1'],
    ['two lengths', 'content-length: 1\r\ncontent-length: 1'],
    ['a length beyond what numbers hold', 'content-length: 1234567890123456'],
    ['a length beside chunked', 'content-length: 1\r\ntransfer-encoding: chunked'],
    ['two codings', 'transfer-encoding: chunked\r\ntransfer-encoding: chunked'],
    ['an empty coding', 'transfer-encoding:'],
    ['a connection option that is no token', 'connection: a b'],
    ['more connection options than anyone needs', `connection: ${'a,'.repeat(33)}a`],
  ])('is refused for %s', (_, lines) => {
    expect(readRequest(`GET / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n`)).toMatch(/^400: /);
  });

  it.each([
    'gzip, chunked',
    'chunked, chunked',
    'identity',
    'xchunked',
    'chunked;q=1',
    '"chunked"',
    '\x0bchunked',
  ])('is refused for the coding %j', (coding) => {
    const lines = `transfer-encoding: ${coding}`;
    expect(readRequest(`GET / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n`)).toMatch(/^(501|400): /);
  });

  it('is refused for a coding on HTTP/1.0', () => {
    const text = `POST / HTTP/1.0\r\n${HOST}transfer-encoding: chunked\r\n\r\n`;
    expect(readRequest(text)).toContain('HTTP/1.0');
  });

  it('is refused for a missing host on 1.1', () => {
    expect(readRequest('GET / HTTP/1.1\r\n\r\n')).toContain('host is missing');
  });

  it.each(['a b', 'a/b', 'a,b', 'a:b', 'a:99999', 'a:1:2', '[::1', '[1]', '::1', 'a%2e', '@'])(
    'is refused for the host %j',
    (host) => {
      expect(readRequest(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).toContain('400: host');
    },
  );

  it('is answered with 417 for another expectation', () => {
    expect(readRequest(`GET / HTTP/1.1\r\n${HOST}expect: tea\r\n\r\n`)).toMatch(/^417: /);
  });

  it('is refused before it is complete', () => {
    expect(readRequest('GET / \r\n\r\n')).toMatch(/^400: /);
    expect(readRequest('GET / HTTP/1.1\n')).toMatch(/^400: /);
    expect(readRequest('G\0')).toMatch(/^400: /);
    expect(readRequest('GET / HTTP/9')).toBe('incomplete');
    expect(readRequest('\r\n\r\n\r\n')).toMatch(/^400: /);
  });
});

describe('limits', () => {
  const limits = { ...DEFAULT_HEAD_LIMITS, maxHeadBytes: 300, maxFields: 3 };
  const lines = (count: number): string => 'x: 1\r\n'.repeat(count);

  it('count field lines, whether they come in one read or not', () => {
    const start = `GET / HTTP/1.1\r\n${HOST}`;
    expect(readRequest(`${start}${lines(2)}\r\n`, new RequestHead(limits))).toBe('complete');
    expect(readRequest(`${start}${lines(3)}\r\n`, new RequestHead(limits))).toMatch(/^431: /);
    expect(readRequest(`${start}${lines(3)}`, new RequestHead(limits))).toMatch(/^431: /);
  });

  it('count bytes, whether they come in one read or not', () => {
    const start = `GET / HTTP/1.1\r\n${HOST}x: `;
    const fit = start + 'v'.repeat(300 - start.length - 4);
    expect(readRequest(`${fit}\r\n\r\n`, new RequestHead(limits))).toBe('complete');
    expect(readRequest(`${fit}v\r\n\r\n`, new RequestHead(limits))).toMatch(/^431: /);
    expect(readRequest(`${fit}vvvv`, new RequestHead(limits))).toMatch(/^431: /);
  });
});
