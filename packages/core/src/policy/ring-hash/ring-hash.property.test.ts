import { describe, expect, it } from 'vitest';
import {
  addressOf,
  countById,
  disruptionOf,
  endpointsOf,
  fiveSigma,
  hashKeys,
  keyedPolicy,
  placement,
  sharesById,
} from '../test-support/keyed.ts';

/** Coefficient of variation: standard deviation over mean. */
function variationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / values.length) / mean;
}

describe('ring-hash balance', () => {
  it.each([
    { count: 100, points: 160, options: { name: 'ring-hash', mode: 'native' } },
    { count: 1_000, points: 160, options: { name: 'ring-hash', mode: 'native' } },
    { count: 100, points: 656, options: { name: 'ring-hash', minRingSize: 65_536 } },
    { count: 100, points: 11, options: { name: 'ring-hash' } },
  ])('varies by 1/sqrt($points) over $count endpoints', ({ count, points, options }) => {
    const shares = [...sharesById(keyedPolicy(options, endpointsOf(count))).values()];
    // The estimate from n values is off by 1/sqrt(2 n) of itself (standard error); four of them either way.
    const error = 4 / Math.sqrt(2 * count);
    expect(variationOf(shares) * Math.sqrt(points)).toBeGreaterThan(1 - error);
    expect(variationOf(shares) * Math.sqrt(points)).toBeLessThan(1 + error);
  });

  it('spreads keys as the arcs say, and points in proportion to the weights', () => {
    const options = { name: 'ring-hash', mode: 'native', pointsPerWeight: 1000 };
    const policy = keyedPolicy(
      options,
      endpointsOf(8, (index) => 1 + index),
    );
    const shares = sharesById(policy);
    const keys = hashKeys(20_000);
    const counts = countById(placement(policy, keys));
    for (let index = 0; index < 8; index++) {
      const share = shares.get(addressOf(index))!;
      const weighted = (1 + index) / 36;
      // The mean load of a point is a sample of its arcs: five times 1/sqrt(points).
      expect(Math.abs(share / weighted - 1)).toBeLessThan(5 / Math.sqrt(1000 * (1 + index)));
      const found = counts.get(addressOf(index))!;
      expect(Math.abs(found - share * keys.length)).toBeLessThan(fiveSigma(keys.length, share));
    }
  });
});

describe('ring-hash disruption', () => {
  const keys = hashKeys(20_000);

  it.each([10, 100])('moves no key of a survivor in native mode, %d endpoints', (count) => {
    const options = { name: 'ring-hash', mode: 'native' };
    const disruption = disruptionOf(options, { count, removed: new Set([3]), keys });
    expect(disruption.excessPercent).toBe(0);
    expect(disruption.unavoidablePercent).toBeGreaterThan(0);
  });

  it("moves many in Envoy's mode when points are dealt out again: 103 to 114 each from 10 to 9 endpoints", () => {
    const { excessPercent } = disruptionOf('ring-hash', { count: 10, removed: new Set([3]), keys });
    // 9 * 11 new points among 1026 take a tenth of what survives; some of it was their owner's own already.
    const taken = (100 * (9 * 11)) / (9 * 114);
    expect(excessPercent).toBeLessThan(taken);
    expect(excessPercent).toBeGreaterThan(taken / 2);
  });
});
