import { describe, expect, it } from 'vitest';
import { fakeRequest } from '../test-support/fake-request.ts';
import { type KeyPart, RequestKey } from './request-key.ts';

const WHOLE = { ipv4Bits: 32, ipv6Bits: 64 };
const keyOf = (
  parts: readonly KeyPart[],
  head: string,
  address = '192.0.2.1',
): string | undefined => new RequestKey(parts, WHOLE).of(fakeRequest(head, { peer: address }));

describe('a key', () => {
  it('differs where one of its parts differs, and nowhere else', () => {
    const parts: KeyPart[] = ['client', { header: 'x-team' }];
    const one = keyOf(parts, 'GET /a HTTP/1.1\nx-team: blue');
    expect(keyOf(parts, 'POST /b HTTP/1.1\nx-team: blue')).toBe(one);
    expect(keyOf(parts, 'GET /a HTTP/1.1\nx-team: red')).not.toBe(one);
    expect(keyOf(parts, 'GET /a HTTP/1.1\nx-team: blue', '192.0.2.2')).not.toBe(one);
  });

  it('cannot be made up by moving characters from one part to the next', () => {
    const parts: KeyPart[] = [{ query: 'a' }, { query: 'b' }];
    const keys = ['a=x&b=yz', 'a=xy&b=z', 'a=x%001:&b=yz', 'a=&b=xyz'].map((query) =>
      keyOf(parts, `GET /?${query} HTTP/1.1`),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is missing where a part of it is missing', () => {
    expect(keyOf(['client', { cookie: 's' }], 'GET / HTTP/1.1')).toBeUndefined();
  });

  it('is short, however long the header is', () => {
    const long = 'x'.repeat(8_000);
    const key = keyOf([{ header: 'x-team' }], `GET / HTTP/1.1\nx-team: ${long}`);
    expect(key?.length).toBeLessThan(64);
    expect(key).not.toBe(keyOf([{ header: 'x-team' }], `GET / HTTP/1.1\nx-team: ${long}y`));
  });

  it('is the same for all requests when it has no part', () => {
    expect(keyOf([], 'GET /a HTTP/1.1')).toBe(keyOf([], 'GET /b HTTP/1.1', '192.0.2.7'));
  });
});
