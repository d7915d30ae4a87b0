import { describe, expect, it } from 'vitest';
import type { Dispatcher } from 'undici';
import { hashKeyOf } from './affinity.ts';

const request = (parts: Partial<Dispatcher.DispatchOptions>): Dispatcher.DispatchOptions => ({
  path: '/',
  method: 'GET',
  ...parts,
});

describe('hashKeyOf', () => {
  it('reads a header, named in any case', () => {
    const source = { header: 'X-User-Id' };
    expect(hashKeyOf(source, request({ headers: { 'x-user-ID': '7' } }))).toBe('7');
    expect(hashKeyOf(source, request({ headers: null }))).toBeUndefined();
  });

  it.each([
    ['sid=abc', 'abc'],
    ['a=b; sid=abc; sid=second', 'abc'],
    ['a=b;sid="quoted"', 'quoted'],
    ['sid=a=b', 'a=b'],
    ['sid=', ''],
    ['SID=abc', undefined],
    ['xsid=abc', undefined],
    ['sid', undefined],
    ['', undefined],
  ])('reads a cookie out of %j', (cookie, expected) => {
    expect(hashKeyOf({ cookie: 'sid' }, request({ headers: { Cookie: cookie } }))).toBe(expected);
  });

  it('reads cookies out of several headers', () => {
    expect(hashKeyOf({ cookie: 'b' }, request({ headers: { cookie: ['a=1', 'b=2'] } }))).toBe('2');
  });

  it.each<[string, Partial<Dispatcher.DispatchOptions>, string | undefined]>([
    ['the path', { path: '/x?user=a%20b&user=c' }, 'a b'],
    ['the query option', { path: '/x', query: { user: 5 } }, '5'],
    ['a list in the query option', { path: '/x', query: { user: ['p', 'q'] } }, 'p'],
    ['neither', { path: '/x?users=1' }, undefined],
    ['a path without query', { path: '/x' }, undefined],
    ['an inherited name', { path: '/x', query: {} }, undefined],
  ])('reads a query parameter from %s', (_where, parts, expected) => {
    expect(hashKeyOf({ query: 'user' }, request(parts))).toBe(expected);
  });

  it('is not taken in by names that every object has', () => {
    expect(hashKeyOf({ query: 'constructor' }, request({ path: '/x', query: {} }))).toBeUndefined();
  });

  it.each([
    ['/v1/me?x=1', '/v1/me'],
    ['/v1/me', '/v1/me'],
    ['/#top', '/'],
  ])('reads the path of %s', (path, expected) => {
    expect(hashKeyOf({ path: true }, request({ path }))).toBe(expected);
  });
});
