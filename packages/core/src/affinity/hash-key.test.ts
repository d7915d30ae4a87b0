import { describe, expect, it } from 'vitest';
import type { HashKeyRequest, HashKeySource } from '../model/hash-key-source.ts';
import { hashKeyOf } from './hash-key.ts';
import { cookieValue, queryValue } from './request-parts.ts';

/** A request as a proxy has it. */
function received(parts: {
  headers?: Record<string, string>;
  target?: string;
  sourceAddress?: string;
}): HashKeyRequest {
  const { headers = {}, target = '/', sourceAddress } = parts;
  return {
    path: target.split('?')[0] ?? '',
    sourceAddress,
    header: (name) => headers[name],
    cookie: (name) => cookieValue(headers['cookie'], name),
    query: (name) => queryValue(target, name),
  };
}

describe('hashKeyOf', () => {
  const request = received({
    headers: { 'x-user-id': '42', cookie: 'sid=abc' },
    target: '/v1/me?user=7',
    sourceAddress: '10.0.0.9',
  });

  it.each<[HashKeySource, string | undefined]>([
    [{ header: 'X-User-Id' }, '42'],
    [{ header: 'x-other' }, undefined],
    [{ cookie: 'sid' }, 'abc'],
    [{ cookie: 'SID' }, undefined],
    [{ query: 'user' }, '7'],
    [{ query: 'users' }, undefined],
    [{ path: true }, '/v1/me'],
    [{ sourceAddress: true }, '10.0.0.9'],
  ])('%j', (source, expected) => {
    expect(hashKeyOf(source, request)).toBe(expected);
  });

  it.each([
    ['::ffff:10.0.0.9', '10.0.0.9'],
    ['::FFFF:10.0.0.9', '10.0.0.9'],
    ['2001:db8::9', '2001:db8::9'],
    ['::ffff:a00:9', '::ffff:a00:9'],
    [undefined, undefined],
  ])('takes the source address %s for %s, whatever the socket calls it', (address, expected) => {
    const parts = address === undefined ? {} : { sourceAddress: address };
    expect(hashKeyOf({ sourceAddress: true }, received(parts))).toBe(expected);
  });

  it('asks a function', () => {
    const tenant: HashKeySource = (given) => given.header('x-user-id') ?? given.sourceAddress;
    expect(hashKeyOf(tenant, request)).toBe('42');
    expect(hashKeyOf(tenant, received({ sourceAddress: '10.0.0.9' }))).toBe('10.0.0.9');
    expect(hashKeyOf(tenant, received({}))).toBeUndefined();
  });

  it('lets what a function throws fail the request', () => {
    const broken = (): string => {
      throw new Error('no tenant');
    };
    expect(() => hashKeyOf(broken, request)).toThrow('no tenant');
  });
});
