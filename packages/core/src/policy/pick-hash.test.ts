import { describe, expect, it } from 'vitest';
import { toBigInt } from '../algorithm/uint64.ts';
import { XorShift128 } from '../runtime/random.ts';
import { formatHash, PickHash } from './pick-hash.ts';

describe('PickHash', () => {
  it("is Envoy's hash of the key (values of its hash_test.cc)", () => {
    const hash = new PickHash(new XorShift128(1));
    hash.take({ hashKey: 'foo' });
    expect(toBigInt(hash)).toBe(3_728_699_739_546_630_719n);
    // An empty key is a key.
    hash.take({ hashKey: '' });
    expect(toBigInt(hash)).toBe(17_241_709_254_077_376_921n);
  });

  it('draws at random without a key, and only then', () => {
    const hash = new PickHash(new XorShift128(5));
    const twin = new XorShift128(5);
    hash.take({ hashKey: 'foo' });
    hash.takeKey('bar');
    hash.take({});
    expect([hash.hi, hash.lo]).toEqual([twin.nextInt32(), twin.nextInt32()]);
  });
});

describe('formatHash', () => {
  it('prints 16 digits, with zeros in front', () => {
    expect(formatHash({ hi: 1, lo: -1 })).toBe('00000001ffffffff');
  });
});
