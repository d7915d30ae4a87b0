import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortUint64 } from './sort-uint64.ts';
import { anyInt32 } from './test-support/cases.ts';
import { toBigInt } from './uint64.ts';

/** Few different upper halves, so that ties are common, and any. */
const anyHalf = fc.oneof(fc.constantFrom(0, 1, -1, -(2 ** 31)), anyInt32);

describe('sortUint64', () => {
  it('orders like BigInts and keeps equal keys in place', () => {
    const sorted = fc.property(fc.array(fc.tuple(anyHalf, anyHalf), { maxLength: 200 }), (keys) => {
      const hi = Uint32Array.from(keys, ([upper]) => upper);
      const lo = Uint32Array.from(keys, ([, lower]) => lower);
      const values = keys.map(([upper, lower]) => toBigInt({ hi: upper, lo: lower }));
      const expected = [...keys.keys()].sort((a, b) => {
        const difference = values[a]! - values[b]!;
        return difference === 0n ? a - b : Number(difference > 0n) * 2 - 1;
      });
      expect([...sortUint64(hi, lo)]).toEqual(expected);
      expect([...sortUint64(new Int32Array(hi), new Int32Array(lo))]).toEqual(expected);
    });
    fc.assert(sorted, { seed: 1, numRuns: 500 });
  });

  it('sorts a ring of realistic size', () => {
    const length = 65_536;
    const hi = Uint32Array.from({ length }, (_, index) => Math.imul(index, 0x9e37_79b1));
    const order = sortUint64(hi, new Uint32Array(length));
    for (let place = 1; place < length; place++) {
      expect(hi[order[place]!]! > hi[order[place - 1]!]!).toBe(true);
    }
  });
});
