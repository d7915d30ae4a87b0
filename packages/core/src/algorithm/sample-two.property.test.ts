import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../runtime/random.ts';
import { firstOfTwo, MAX_ONE_DRAW, otherIndex, secondOfTwo } from './sample-two.ts';
import { anyInt32, histogram } from './test-support/cases.ts';

describe('two distinct indexes', () => {
  it('come from one draw, for any n up to 65536', () => {
    const sizes = fc.oneof(
      fc.integer({ min: 2, max: MAX_ONE_DRAW }),
      fc.constantFrom(2, 3, 65_535, 65_536),
    );
    const distinct = fc.property(sizes, anyInt32, (n, draw) => {
      const first = firstOfTwo(draw, n);
      const second = secondOfTwo(draw, n, first);
      // The definition: the digits of draw * n in base 2^32, and of the lower one times n - 1.
      const product = BigInt(draw >>> 0) * BigInt(n);
      expect(BigInt(first)).toBe(product >> 32n);
      const other = ((product & 0xffff_ffffn) * BigInt(n - 1)) >> 32n;
      expect(BigInt(second)).toBe(other >= BigInt(first) ? other + 1n : other);
      expect(second).not.toBe(first);
      expect(second).toBeLessThan(n);
    });
    fc.assert(distinct, {
      seed: 1,
      numRuns: 5_000,
      examples: [
        [65_536, -1],
        [2, -1],
        [2, 0],
      ],
    });
  });

  it('are every ordered pair equally often', () => {
    const n = 5;
    const random = new XorShift128(3);
    const draws = 200_000;
    const pairs = Array.from({ length: draws }, () => {
      const draw = random.nextInt32();
      const first = firstOfTwo(draw, n);
      return first * n + secondOfTwo(draw, n, first);
    });
    const p = 1 / (n * (n - 1));
    const sigma = Math.sqrt(draws * p * (1 - p));
    for (const [pair, count] of histogram(pairs, n * n).entries()) {
      const expected = Math.floor(pair / n) === pair % n ? 0 : draws * p;
      expect(Math.abs(count - expected)).toBeLessThanOrEqual(expected === 0 ? 0 : 4.5 * sigma);
    }
  });

  it.each([1_000, 10_000, 60_000])('favour no index among %d, where 16 bits each would', (n) => {
    const random = new XorShift128(n);
    const perIndex = 64;
    const firsts = new Float64Array(n);
    const seconds = new Float64Array(n);
    for (let step = 0; step < n * perIndex; step++) {
      const draw = random.nextInt32();
      const first = firstOfTwo(draw, n);
      const second = secondOfTwo(draw, n, first);
      firsts[first] = firsts[first]! + 1;
      seconds[second] = seconds[second]! + 1;
    }
    for (const counts of [firsts, seconds]) {
      // Chi-square with n - 1 degrees of freedom: mean n, deviation sqrt(2 n). Splitting the bits would add
      // perIndex * 0.075^2 = 0.36 to the quotient at n = 10,000.
      const chiSquare = counts.reduce((sum, count) => sum + (count - perIndex) ** 2 / perIndex, 0);
      expect(Math.abs(chiSquare / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    }
  });

  it('come from two draws for more', () => {
    const random = new XorShift128(4);
    for (let draw = 0; draw < 2_000; draw++) {
      const first = draw % 70_000;
      const second = otherIndex(random, 70_000, first);
      expect(second).not.toBe(first);
      expect(second).toBeGreaterThanOrEqual(0);
      expect(second).toBeLessThan(70_000);
    }
    expect(otherIndex({ nextInt32: () => -1 }, 2 ** 32, 0)).toBe(2 ** 32 - 1);
    expect(otherIndex({ nextInt32: () => 0 }, 2, 0)).toBe(1);
  });
});

describe('power of two choices', () => {
  /** Largest load after throwing n balls into n bins, each into the emptier of two. */
  function largestLoad(n: number, seed: number): number {
    const random = new XorShift128(seed);
    const loads = new Int32Array(n);
    for (let ball = 0; ball < n; ball++) {
      const draw = random.nextInt32();
      const first = firstOfTwo(draw, n);
      const second = secondOfTwo(draw, n, first);
      const chosen = loads[second]! < loads[first]! ? second : first;
      loads[chosen] = loads[chosen]! + 1;
    }
    return loads.reduce((most, load) => Math.max(most, load), 0);
  }

  it('keeps the largest load at about ln ln n / ln 2 (Azar et al. 1994)', () => {
    // ln ln 10^4 / ln 2 = 3.2 plus a constant; one choice would give about ln n / ln ln n = 4.1 plus more: 7 or so.
    for (const seed of [1, 2, 3, 4, 5]) {
      expect(largestLoad(10_000, seed)).toBeGreaterThanOrEqual(3);
      expect(largestLoad(10_000, seed)).toBeLessThanOrEqual(4);
    }
  });
});
