import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_WEIGHT } from '../../model/endpoint.ts';
import { endpointWeights } from './service-weights.ts';

const target = (weight: number, addressCount = 1) => ({ weight, addressCount });

describe('endpointWeights', () => {
  it.each([
    { what: 'as they are', targets: [target(10), target(30)], weights: [10, 30] },
    { what: 'divided among addresses', targets: [target(10, 2), target(10)], weights: [10, 20] },
    { what: 'three and two addresses', targets: [target(1, 3), target(1, 2)], weights: [2, 3] },
    {
      what: 'unchanged if all have two',
      targets: [target(10, 2), target(30, 2)],
      weights: [10, 30],
    },
    { what: 'all zero: even', targets: [target(0), target(0)], weights: [1, 1] },
    { what: 'zero beside one', targets: [target(0), target(1)], weights: [1, 15] },
    {
      what: 'zero beside the largest',
      targets: [target(0), target(65_535)],
      weights: [1, 983_025],
    },
    { what: 'nothing', targets: [], weights: [] },
  ])('$what', ({ targets, weights }) => {
    expect(endpointWeights(targets)).toEqual(weights);
  });

  it('gives each target its share of RFC 2782, within what integers allow', () => {
    const targets = fc.array(
      fc.record({
        weight: fc.integer({ min: 1, max: 65_535 }),
        addressCount: fc.integer({ min: 1, max: 6 }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(targets, (list) => {
        const weights = endpointWeights(list);
        for (const weight of weights) {
          expect(Number.isInteger(weight) && weight >= 1 && weight <= MAX_WEIGHT).toBe(true);
        }
        const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
        const total = sum(weights.map((weight, i) => weight * (list[i]?.addressCount ?? 0)));
        const srvTotal = sum(list.map(({ weight }) => weight));
        list.forEach(({ weight, addressCount }, i) => {
          const share = ((weights[i] ?? 0) * addressCount) / total;
          // Rounding moves a weight by half at most, up to six times, among weights that reach to a million.
          expect(Math.abs(share - weight / srvTotal)).toBeLessThan(0.001);
        });
      }),
      { seed: 20_300_101 },
    );
  });

  it('stays in range for many different address counts', () => {
    const weights = endpointWeights(Array.from({ length: 60 }, (_, i) => target(65_535, i + 1)));
    expect(Math.max(...weights)).toBeLessThanOrEqual(MAX_WEIGHT);
    expect(Math.min(...weights)).toBeGreaterThanOrEqual(1);
  });
});
