import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import type { EndpointFields } from '../../model/endpoint.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';

function weighted(weights: readonly number[]): EndpointFields[] {
  return weights.map((weight, index) => ({ address: `h${index}:1`, weight }));
}

describe.each([
  // Deviation from the ideal number of picks at any time: the bounds of the two algorithms.
  { algorithm: 'edf', deviation: 4 },
  { algorithm: 'smooth', deviation: 2 },
])('weighted round robin by $algorithm', ({ algorithm, deviation }) => {
  function create(weights: readonly number[], seed = 1): StandalonePolicy {
    return createPolicy(
      { name: 'weighted-round-robin', algorithm },
      { endpoints: weighted(weights), random: new XorShift128(seed) },
    );
  }

  it('is never far from the shares', () => {
    const weights = [
      ...Array.from({ length: 5 }, () => 20),
      ...Array.from({ length: 95 }, () => 1),
    ];
    const policy = create(weights);
    const counts = weights.map(() => 0);
    for (let pick = 1; pick <= 2_000; pick++) {
      const slot = policy.pick({}, 0);
      counts[slot] = (counts[slot] ?? 0) + 1;
      const heavy = counts.slice(0, 5).reduce((sum, count) => sum + count, 0);
      // 100 of 195 parts; the bound is per endpoint, and the five heavy ones could deviate together.
      expect(Math.abs(heavy - (pick * 100) / 195)).toBeLessThan(5 * deviation);
      if (pick % 195 !== 0) continue;
      counts.forEach((count, slot) =>
        expect(Math.abs(count - (pick * (weights[slot] ?? 0)) / 195)).toBeLessThanOrEqual(
          deviation,
        ),
      );
    }
  });

  it('keeps the credit of those that stay: frequent changes do not favour anyone', () => {
    const policy = create([1, 2, 3, 2]);
    const counts = [0, 0, 0, 0];
    const picks = 4_000;
    for (let pick = 0; pick < picks; pick++) {
      policy.update(weighted([1, 2, 3, 2, ...(pick % 2 === 0 ? [1] : [])]));
      const slot = policy.pick({}, 0);
      if (slot < 4) counts[slot] = (counts[slot] ?? 0) + 1;
    }
    const sum = counts.reduce((total, count) => total + count, 0);
    [1, 2, 3, 2].forEach((weight, slot) =>
      expect(Math.abs((counts[slot] ?? 0) / sum - weight / 8)).toBeLessThan(0.02),
    );
  });

  it('starts differently in different clients', () => {
    const orders = new Set(
      Array.from({ length: 30 }, (_, seed) => {
        const policy = create([1, 1, 1, 1, 1], seed);
        return [0, 1, 2].map(() => policy.pick({}, 0)).join();
      }),
    );
    expect(orders.size).toBeGreaterThan(2);
  });

  it('passes over excluded endpoints, however heavy', () => {
    const policy = create([1_000_000, 1, 1]);
    for (let pick = 0; pick < 50; pick++)
      expect([1, 2]).toContain(policy.pick({ exclude: [0] }, 0));
  });
});

describe('weighted round robin', () => {
  it('refuses an algorithm that it does not know', () => {
    const options = { name: 'weighted-round-robin', algorithm: 'lottery' };
    expect(() => createPolicy(options, { endpoints: ['a:1'] })).toThrow(ConfigError);
    expect(() => createPolicy(options, { endpoints: ['a:1'] })).toThrow(
      'policy.algorithm: expected one of edf, smooth, got "lottery"',
    );
  });
});
