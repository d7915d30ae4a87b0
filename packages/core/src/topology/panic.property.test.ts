import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPanic } from './panic.ts';

const counts = fc
  .tuple(fc.nat(65_536), fc.nat(65_536))
  .map(([one, other]) => ({ healthy: Math.min(one, other), all: Math.max(one, other) }));
const threshold = fc.integer({ min: 0, max: 100 });

describe('isPanic, any cluster', () => {
  it('is never there without reason: threshold 0, all healthy, nobody at all', () => {
    fc.assert(
      fc.property(counts, threshold, ({ healthy, all }, percent) => {
        expect(isPanic(healthy, all, 0)).toBe(false);
        expect(isPanic(all, all, percent)).toBe(false);
        expect(isPanic(0, 0, percent)).toBe(false);
        if (healthy < all) expect(isPanic(healthy, all, 100)).toBe(true);
      }),
      { seed: 1 },
    );
  });

  it('does not begin because someone recovers or the threshold is lowered', () => {
    fc.assert(
      fc.property(counts, threshold, threshold, ({ healthy, all }, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        if (!isPanic(healthy, all, high)) {
          expect(isPanic(healthy, all, low)).toBe(false);
          expect(isPanic(Math.min(healthy + 1, all), all, high)).toBe(false);
        }
      }),
      { seed: 2 },
    );
  });

  it('does not begin by ejections alone with the defaults: at most half, threshold 50', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_536 }), (all) => {
        expect(isPanic(all - Math.floor(all / 2), all, 50)).toBe(false);
      }),
      { seed: 3 },
    );
  });
});
