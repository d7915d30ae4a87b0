import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../runtime/random.ts';
import {
  type RandomSource,
  uniformBelow,
  uniformPositive,
  uniformUnit,
  uniformUnit53,
} from './random-source.ts';
import { histogram } from './test-support/cases.ts';

/** Gives the listed bits one after the other. */
function bits(...values: number[]): RandomSource {
  let next = 0;
  return { nextInt32: () => values[next++]! | 0 };
}

const LARGEST = 0xffff_ffff;

describe('uniformBelow', () => {
  it.each([1, 2, 3, 10_000, 65_537, 2 ** 31, 2 ** 32 - 1, 2 ** 32])(
    'covers [0, %d) and no more',
    (n) => {
      expect(uniformBelow(bits(0), n)).toBe(0);
      expect(uniformBelow(bits(LARGEST), n)).toBe(n - 1);
      expect(uniformBelow(bits(2 ** 31), n)).toBe(Math.floor(n / 2));
    },
  );

  it('is uniform', () => {
    const random = new XorShift128(1);
    const draws = 100_000;
    const counts = histogram(
      Array.from({ length: draws }, () => uniformBelow(random, 7)),
      7,
    );
    // sigma = sqrt(draws * 1/7 * 6/7) = 111
    for (const count of counts) expect(Math.abs(count - draws / 7)).toBeLessThan(4 * 111);
  });
});

describe('numbers from 0 to 1', () => {
  it('include 0 but not 1', () => {
    expect(uniformUnit(bits(0))).toBe(0);
    expect(uniformUnit(bits(LARGEST))).toBe(1 - 2 ** -32);
    expect(uniformUnit53(bits(0, 0))).toBe(0);
    expect(uniformUnit53(bits(LARGEST, LARGEST))).toBe(1 - 2 ** -53);
    expect(uniformUnit53(bits(0, LARGEST))).toBe((2 ** 21 - 1) * 2 ** -53);
    expect(uniformUnit53(bits(2 ** 31, 0))).toBe(0.5);
  });

  it('include neither where a logarithm follows', () => {
    expect(uniformPositive(bits(0))).toBe(2 ** -33);
    expect(uniformPositive(bits(LARGEST))).toBe(1 - 2 ** -33);
  });
});
