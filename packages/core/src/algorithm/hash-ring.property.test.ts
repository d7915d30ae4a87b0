import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashRing } from './hash-ring.ts';
import { addresses, histogram, picksOf, variation } from './test-support/cases.ts';

const KEYS = 20_000;
const picks = (ring: HashRing, count = KEYS): Int32Array =>
  picksOf((hi, lo) => ring.lookup(hi, lo), count);

describe('HashRing with stable sizing', () => {
  it('moves only the keys of a removed endpoint', () => {
    const minimal = fc.property(
      fc.integer({ min: 2, max: 20 }),
      fc.nat(),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 20, maxLength: 20 }),
      (count, chosen, weights) => {
        const keys = addresses(count);
        const removed = chosen % count;
        const all = new HashRing({ keys, weights: weights.slice(0, count) });
        const rest = new HashRing({
          keys: keys.toSpliced(removed, 1),
          weights: weights.slice(0, count).toSpliced(removed, 1),
        });
        const after = picks(rest, 500);
        for (const [key, before] of picks(all, 500).entries()) {
          const now = after[key]! >= removed ? after[key]! + 1 : after[key]!;
          if (before !== removed) expect(now).toBe(before);
        }
      },
    );
    fc.assert(minimal, { seed: 1, numRuns: 30 });
  });

  it('moves keys only from or to an endpoint whose weight changes', () => {
    const keys = addresses(10);
    const before = picks(new HashRing({ keys, weights: [4, 1, 1, 1, 1, 1, 1, 1, 1, 1] }));
    const after = picks(new HashRing({ keys, weights: [2, 1, 1, 1, 1, 1, 1, 1, 1, 1] }));
    const moved = before.filter((endpoint, key) => endpoint !== after[key]);
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.every((endpoint) => endpoint === 0)).toBe(true);
  });

  it.each([40, 160, 640])('has shares that vary by 1 / sqrt(%d points)', (pointsPerWeight) => {
    const keys = addresses(100);
    const ring = new HashRing({ keys, sizing: { kind: 'stable', pointsPerWeight } });
    const shares = histogram(picks(ring, 200_000), 100);
    // The variation over 100 endpoints is itself known to about 1/sqrt(2 * 100) = 7 %; three times that, and the
    // sampling of 2000 keys each adds 1/sqrt(2000) = 2.2 % in quadrature.
    const expected = Math.sqrt(1 / pointsPerWeight + 1 / 2_000);
    expect(variation(shares)).toBeGreaterThan(expected * 0.79);
    expect(variation(shares)).toBeLessThan(expected * 1.21);
  });

  it('gives weights their shares', () => {
    const weights = [1, 2, 3, 4];
    const shares = histogram(picks(new HashRing({ keys: addresses(4), weights }), 100_000), 4);
    for (const [endpoint, weight] of weights.entries()) {
      // Relative error of a share: 1/sqrt(160 * weight); three times that.
      const tolerance = 3 / Math.sqrt(160 * weight);
      expect(Math.abs(shares[endpoint]! / ((100_000 * weight) / 10) - 1)).toBeLessThan(tolerance);
    }
  });
});

describe('HashRing', () => {
  it('does not depend on the order of the endpoints', () => {
    const shuffled = fc.property(fc.shuffledSubarray(addresses(12), { minLength: 12 }), (keys) => {
      const sorted = addresses(12);
      const ours = picks(new HashRing({ keys }), 300);
      for (const [key, endpoint] of picks(new HashRing({ keys: sorted }), 300).entries()) {
        expect(keys[ours[key]!]).toBe(sorted[endpoint]);
      }
    });
    fc.assert(shuffled, { seed: 2, numRuns: 20 });
  });

  it('lists all endpoints once, and the list of a smaller set is the same without the removed', () => {
    const keys = addresses(8);
    const all = new HashRing({ keys });
    const rest = new HashRing({ keys: keys.slice(0, 7) });
    const out = new Int32Array(8);
    const less = new Int32Array(8);
    for (let key = 0; key < 300; key++) {
      const hi = Math.imul(key, 0x9e37_79b1);
      expect(all.preference(hi, key, out)).toBe(8);
      expect(new Set(out).size).toBe(8);
      expect(out[0]).toBe(all.lookup(hi, key));
      expect(rest.preference(hi, key, less)).toBe(7);
      expect([...less.subarray(0, 7)]).toEqual([...out].filter((endpoint) => endpoint !== 7));
    }
  });

  it('moves other keys too when sized like Envoy: the known price of compatibility', () => {
    const sizing = { kind: 'bounded', minSize: 1_024, maxSize: 8_388_608 } as const;
    const before = picks(new HashRing({ keys: addresses(10), sizing }));
    const after = picks(new HashRing({ keys: addresses(9), sizing }));
    let excess = 0;
    for (const [key, endpoint] of before.entries()) {
      if (endpoint !== 9 && after[key] !== endpoint) excess++;
    }
    // 103 points grow to 114 each: envoyproxy/envoy#22558 and our own runs put it at 7.8 % of all keys.
    expect(excess / KEYS).toBeGreaterThan(0.05);
    expect(excess / KEYS).toBeLessThan(0.11);
  });
});
