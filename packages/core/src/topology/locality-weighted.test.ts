import { describe, expect, it } from 'vitest';
import { localityShares } from './locality-weighted.ts';

const zone = (weight: number, healthyCount: number, candidateCount = 10) => ({
  weight,
  healthyCount,
  candidateCount,
});

// The same table stands in docs/concepts/locality.md.
describe('localityShares: the table', () => {
  it.each([
    { zones: [zone(50, 10), zone(50, 10)], percent: [50, 50] },
    { zones: [zone(75, 10), zone(25, 10)], percent: [75, 25] },
    // 8 of 10 times 1.4 is more than all of it: nothing moves.
    { zones: [zone(50, 8), zone(50, 10)], percent: [50, 50] },
    // 50 * 0.7 = 35 against 50
    { zones: [zone(50, 5), zone(50, 10)], percent: [41.2, 58.8] },
    { zones: [zone(50, 0), zone(50, 10)], percent: [0, 100] },
    // Shares are the zones', whatever their number of endpoints.
    { zones: [zone(50, 2, 2), zone(50, 20, 20)], percent: [50, 50] },
    // A zone of weight 0 is a reserve: it takes everything once the others have nobody.
    { zones: [zone(100, 1), zone(0, 10)], percent: [100, 0] },
    { zones: [zone(100, 0), zone(0, 6), zone(0, 2)], percent: [0, 75, 25] },
    { zones: [zone(50, 0), zone(50, 0)], percent: [0, 0] },
  ])('$percent', ({ zones, percent }) => {
    const shares = localityShares(zones, 1.4);
    expect(shares.map((share) => Math.round(share * 1000) / 10)).toEqual(percent);
  });
});
