import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jumpHash } from './jump-hash.ts';
import { anyInt32, histogram, picksOf } from './test-support/cases.ts';
import { fromBigInt } from './uint64.ts';

describe('jumpHash', () => {
  // Widely shared check values of the paper's function, as in the Go port by D. Gryski.
  it.each([
    [1n, 1, 0],
    [42n, 57, 43],
    [0xdead_10ccn, 1, 0],
    [0xdead_10ccn, 666, 361],
    [256n, 1024, 520],
  ])('of key %d over %d buckets is %d', (key, buckets, bucket) => {
    const { hi, lo } = fromBigInt(key);
    expect(jumpHash(hi, lo, buckets)).toBe(bucket);
  });

  it('moves a key only to the new bucket when one is added', () => {
    const minimal = fc.property(
      anyInt32,
      anyInt32,
      fc.integer({ min: 1, max: 5_000 }),
      (hi, lo, n) => {
        const before = jumpHash(hi, lo, n);
        const after = jumpHash(hi, lo, n + 1);
        expect([before, n]).toContain(after);
        expect(before).toBeLessThan(n);
      },
    );
    fc.assert(minimal, { seed: 1, numRuns: 2_000 });
  });

  it('balances perfectly: shares differ by sampling noise only', () => {
    const keys = 100_000;
    const counts = histogram(
      picksOf((hi, lo) => jumpHash(hi, lo, 10), keys),
      10,
    );
    // Binomial with p = 1/10: sigma = sqrt(keys * 0.1 * 0.9) = 95; 4 sigma for ten buckets.
    for (const count of counts) expect(Math.abs(count - keys / 10)).toBeLessThan(4 * 95);
  });

  it.each([0, -1, 1.5, 2 ** 31])('refuses %d buckets', (buckets) => {
    expect(() => jumpHash(1, 2, buckets)).toThrow(RangeError);
  });
});
