import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../runtime/random.ts';
import { AliasTable } from './alias-table.ts';

/** Walks all places of a column evenly instead of drawing them, which gives the exact share of every index. */
function sharesByGrid(table: AliasTable, steps: number): number[] {
  const shares = Array.from({ length: table.size }, () => 0);
  for (let step = 0; step < steps; step++) {
    const place = Math.floor(((step + 0.5) / steps) * 2 ** 32) | 0;
    const index = table.sample({ nextInt32: () => place });
    shares[index] = (shares[index] ?? 0) + 1 / steps;
  }
  return shares;
}

describe('AliasTable', () => {
  it('gives every index its weight', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(weights, (given) => {
        const sum = given.reduce((total, weight) => total + weight, 0);
        const steps = 20_000;
        const shares = sharesByGrid(new AliasTable(given), steps);
        // Each of at most n + n boundaries between parts is off by at most one step.
        const tolerance = (2 * given.length) / steps;
        for (const [index, weight] of given.entries()) {
          expect(Math.abs((shares[index] ?? 0) - weight / sum)).toBeLessThanOrEqual(tolerance);
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('draws from a random source by weight', () => {
    const table = new AliasTable([1, 2, 7]);
    const random = new XorShift128(7);
    const counts = [0, 0, 0];
    const draws = 100_000;
    for (let draw = 0; draw < draws; draw++) {
      const index = table.sample(random);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    for (const [index, share] of [0.1, 0.2, 0.7].entries()) {
      // Binomial: 5 standard deviations.
      const tolerance = 5 * Math.sqrt((share * (1 - share)) / draws);
      expect(Math.abs((counts[index] ?? 0) / draws - share)).toBeLessThan(tolerance);
    }
  });

  it('never leaves its range at either end of the draws', () => {
    const table = new AliasTable([1, 1_000_000, 1]);
    for (const draw of [0, -1, 1, 2 ** 31 - 1, -(2 ** 31)]) {
      const index = table.sample({ nextInt32: () => draw });
      expect([0, 1, 2]).toContain(index);
    }
  });

  it('refuses weights that are none', () => {
    expect(() => new AliasTable([])).toThrow(RangeError);
    expect(() => new AliasTable([1, 0])).toThrow('weights[1] must be above 0, got 0');
    expect(() => new AliasTable([Number.NaN])).toThrow(TypeError);
  });
});
