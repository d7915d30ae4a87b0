import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localityShares, type WeightedZone } from './locality-weighted.ts';

const zone: fc.Arbitrary<WeightedZone> = fc
  .record({
    weight: fc.integer({ min: 0, max: 1_000_000 }),
    candidateCount: fc.integer({ min: 1, max: 200 }),
    health: fc.integer({ min: 0, max: 200 }),
  })
  .map(({ weight, candidateCount, health }) => ({
    weight,
    candidateCount,
    healthyCount: Math.min(health, candidateCount),
  }));
const zones = fc.array(zone, { minLength: 1, maxLength: 8 });
const factor = fc.double({ min: 1, max: 10, noNaN: true });

describe('localityShares, any zones', () => {
  it('gives out all, nothing where nobody is healthy, and nothing to a reserve while another can', () => {
    fc.assert(
      fc.property(zones, factor, (all, overprovisioning) => {
        const shares = localityShares(all, overprovisioning);
        const anyone = all.some(({ healthyCount }) => healthyCount > 0);
        const weighted = all.some(({ weight, healthyCount }) => weight > 0 && healthyCount > 0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(anyone ? 1 : 0, 9);
        all.forEach(({ weight, healthyCount }, index) => {
          expect(shares[index]).toBeGreaterThanOrEqual(0);
          if (healthyCount === 0 || (weight === 0 && weighted)) expect(shares[index]).toBe(0);
        });
      }),
      { seed: 1 },
    );
  });

  it('goes by the weights alone while every zone is healthy enough', () => {
    fc.assert(
      fc.property(zones, factor, (all, overprovisioning) => {
        const well = all.map((each) => ({
          ...each,
          weight: each.weight + 1,
          healthyCount: Math.ceil(each.candidateCount / overprovisioning),
        }));
        const sum = well.reduce((total, { weight }) => total + weight, 0);
        localityShares(well, overprovisioning).forEach((share, index) =>
          expect(share).toBeCloseTo((well[index]?.weight ?? 0) / sum, 9),
        );
      }),
      { seed: 2 },
    );
  });

  it('takes nothing from a zone with a weight because one more of it is healthy', () => {
    fc.assert(
      fc.property(zones, factor, fc.nat(), (all, overprovisioning, which) => {
        const index = which % all.length;
        const improved = all.map((each, at) =>
          at === index && each.healthyCount < each.candidateCount
            ? { ...each, healthyCount: each.healthyCount + 1 }
            : each,
        );
        fc.pre((all[index]?.weight ?? 0) > 0);
        const before = localityShares(all, overprovisioning)[index] ?? 0;
        const after = localityShares(improved, overprovisioning)[index] ?? 0;
        expect(after).toBeGreaterThanOrEqual(before - 1e-12);
      }),
      { seed: 3 },
    );
  });
});
