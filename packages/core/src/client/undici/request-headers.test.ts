import { describe, expect, it } from 'vitest';
import type { Dispatcher } from 'undici';
import { requestHeader, withRepeatableHeaders } from './request-headers.ts';

type Headers = Dispatcher.DispatchOptions['headers'];

function* generate(): Generator<[string, string]> {
  yield ['Host', 'a'];
  yield ['X-User', '42'];
}

describe('requestHeader', () => {
  it.each<[string, Headers]>([
    ['a record', { Host: 'a', 'X-User': '42' }],
    ['a flat array', ['host', 'a', 'x-USER', '42']],
    ['a Map', new Map([['X-User', '42']])],
    ['Headers', new Headers({ 'X-User': '42' })],
    ['a generator', generate()],
    ['a list in a record', { 'x-user': ['42'] }],
  ])('finds a header in %s, whatever its case', (_shape, headers) => {
    expect(requestHeader(headers, 'x-user')).toBe('42');
  });

  it.each<[string, Headers]>([
    ['null', null],
    ['undefined', undefined],
    ['an empty record', {}],
    ['an empty array', []],
    ['a record with undefined', { 'x-user': undefined }],
    ['an array that ends early', ['x-user']],
    ['a Map without it', new Map([['x-users', '42']])],
  ])('finds nothing in %s', (_shape, headers) => {
    expect(requestHeader(headers, 'x-user')).toBeUndefined();
  });

  it('joins repeated values', () => {
    expect(requestHeader({ cookie: ['a=1', 'b=2'] }, 'cookie')).toBe('a=1, b=2');
  });
});

describe('withRepeatableHeaders', () => {
  const options = (headers: Headers): Dispatcher.DispatchOptions => ({
    path: '/',
    method: 'GET',
    ...(headers === undefined ? {} : { headers }),
  });

  it('reads a generator once and keeps what it gave', () => {
    const { headers } = withRepeatableHeaders(options(generate()));
    expect(headers).toEqual(['Host', 'a', 'X-User', '42']);
  });

  it.each<[string, Headers]>([
    ['a record', { a: 'b' }],
    ['an array', ['a', 'b']],
    ['a Map', new Map([['a', 'b']])],
    ['null', null],
    ['undefined', undefined],
  ])('leaves %s alone', (_shape, headers) => {
    const given = options(headers);
    expect(withRepeatableHeaders(given)).toBe(given);
  });
});
