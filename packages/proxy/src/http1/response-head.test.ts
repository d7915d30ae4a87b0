import { describe, expect, it } from 'vitest';
import { ResponseHead } from './response-head.ts';
import { readResponse } from './test-support/read-head.ts';

describe('a response head', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.1 200 ', 200],
    ['HTTP/1.1 200', 200],
    ['HTTP/1.0 404 Not \xe4 found', 404],
    ['HTTP/1.1 999 x', 999],
    ['HTTP/1.1 100 Continue', 100],
  ])('may begin with %j', (line, status) => {
    const head = new ResponseHead();
    expect(readResponse(`${line}\r\n\r\n`, head)).toBe('complete');
    expect(head.status).toBe(status);
  });

  it.each([
    'HTTP/1.1  200 OK',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/2.0 200 OK',
    'ICY 200 OK',
    'HTTP/1.1 200 a\0b',
    'HTTP/1.1 200 a\rb',
    'HTTP/1.1 -20 OK',
  ])('does not begin with %j', (line) => {
    expect(readResponse(`${line}\r\n\r\n`)).toMatch(/^(400|505): /);
  });

  it.each([
    'transfer-encoding: chunked\t\r\ntransfer-encoding: chunked',
    'transfer-encoding: chunked, identity',
    'transfer-encoding: chunked\r\ncontent-length: 3',
    'content-length: 3\r\ncontent-length: 3',
    'content-length: 3,3',
  ])('is refused for %j', (lines) => {
    expect(readResponse(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`)).toMatch(/^(400|501): /);
  });

  it('takes blanks around a coding for blanks', () => {
    const head = new ResponseHead();
    const text = 'HTTP/1.1 200 OK\r\ntransfer-encoding:\tchunked\t \r\n\r\n';
    expect(readResponse(text, head)).toBe('complete');
    expect(head.semantics.chunked).toBe(true);
  });

  it('is not told what a client may expect', () => {
    expect(readResponse('HTTP/1.1 200 OK\r\nexpect: tea\r\n\r\n')).toBe('complete');
  });

  it.each([
    [100, true],
    [204, true],
    [304, true],
    [200, false],
    [205, false],
  ])('%i has no body: %s', (status, bodiless) => {
    const head = new ResponseHead();
    readResponse(`HTTP/1.1 ${status} x\r\ncontent-length: 5\r\n\r\n`, head);
    expect(head.isBodiless).toBe(bodiless);
  });
});
