import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadQuantile } from './load-quantile.ts';

/** By the definition: sort the latest 128, take the one at the rank. */
function quantileOf(loads: readonly number[], ratio: number): number {
  const latest = loads
    .slice(-128)
    .map((load) => Math.min(1_023, Math.round(load)))
    .sort((a, b) => a - b);
  return latest[Math.max(1, Math.ceil(ratio * latest.length)) - 1] ?? 0;
}

describe('the quantile of loads', () => {
  it('is what sorting the latest 128 gives, after every one', () => {
    const load = fc.oneof(fc.nat(8), fc.nat(40), fc.double({ min: 0, max: 2_000, noNaN: true }));
    fc.assert(
      fc.property(
        fc.constantFrom(0, 0.25, 0.6, 0.84, 0.99, 1),
        fc.array(load, { maxLength: 300 }),
        (ratio, loads) => {
          const quantile = new LoadQuantile(ratio);
          loads.forEach((each, at) => {
            quantile.add(each);
            expect(quantile.value).toBe(quantileOf(loads.slice(0, at + 1), ratio));
          });
        },
      ),
      { seed: 3, numRuns: 150 },
    );
  });

  it('is 0 before the first', () => {
    expect(new LoadQuantile(0.6).value).toBe(0);
  });
});
