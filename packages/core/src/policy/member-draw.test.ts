import { describe, expect, it } from 'vitest';
import type { Members } from '../model/members.ts';
import { XorShift128 } from '../runtime/random.ts';
import { MemberDraw, NO_INDEX } from './member-draw.ts';

/** Slots 10, 11, 12 ... so that they cannot be taken for positions. */
function membersOf(weights: readonly number[]): Members {
  return {
    version: 1,
    slots: Int32Array.from(weights, (_, index) => 10 + index),
    weights: Float64Array.from(weights),
    endpoints: [],
  };
}

function shares(count: number, draws: number, draw: () => number): number[] {
  const result = Array.from({ length: count }, () => 0);
  for (let i = 0; i < draws; i++) {
    const index = draw();
    result[index] = (result[index] ?? 0) + 1 / draws;
  }
  return result;
}

describe('MemberDraw', () => {
  const DRAWS = 40_000;
  /** Binomial with 40,000 draws: 5 standard deviations are at most 0.0125. */
  const TOLERANCE = 0.0125;

  it.each([
    { exclude: [], expected: [0.1, 0.2, 0.3, 0.4] },
    { exclude: [13], expected: [1 / 6, 2 / 6, 3 / 6, 0] },
    { exclude: [13, 12], expected: [1 / 3, 2 / 3, 0, 0] },
  ])('keeps the weights among those that $exclude leaves', ({ exclude, expected }) => {
    const draw = new MemberDraw(membersOf([1, 2, 3, 4]), new XorShift128(1));
    const seen = shares(4, DRAWS, () => draw.drawAllowed(exclude));
    expected.forEach((share, index) =>
      expect(Math.abs((seen[index] ?? 0) - share)).toBeLessThan(TOLERANCE),
    );
    expect([...draw.probabilities(exclude)]).toEqual(
      expected.map((share) => expect.closeTo(share)),
    );
  });

  it('keeps them too when only a scan finds the allowed ones', () => {
    // 2 of 62 are allowed, with 4 of 64 parts: 8 draws miss both in 60 % of the cases.
    const weights = [1, 3, ...Array.from({ length: 60 }, () => 1)];
    const exclude = weights.map((_, index) => 10 + index).slice(2);
    const draw = new MemberDraw(membersOf(weights), new XorShift128(1));
    const seen = shares(2, 10_000, () => draw.drawAllowed(exclude));
    expect(Math.abs((seen[1] ?? 0) - 0.75)).toBeLessThan(0.025);
  });

  it('finds no one when all are excluded or there is no one', () => {
    const random = new XorShift128(1);
    expect(new MemberDraw(membersOf([1, 2]), random).drawAllowed([10, 11])).toBe(NO_INDEX);
    expect(new MemberDraw(membersOf([]), random).drawAllowed([])).toBe(NO_INDEX);
  });

  it('draws a second one that differs, in proportion to weight', () => {
    const draw = new MemberDraw(membersOf([5, 1, 3]), new XorShift128(1));
    const seen = shares(3, DRAWS, () => draw.drawOther(0));
    [0, 0.25, 0.75].forEach((share, index) =>
      expect(Math.abs((seen[index] ?? 0) - share)).toBeLessThan(TOLERANCE),
    );
  });

  it('finds the second one beside a giant', () => {
    const draw = new MemberDraw(membersOf([1e9, 1, 1]), new XorShift128(1));
    for (let i = 0; i < 50; i++) {
      expect([1, 2]).toContain(draw.drawOther(0));
      expect([1, 2]).toContain(draw.drawOtherAllowed(0, []));
      expect(draw.drawOtherAllowed(0, [11])).toBe(2);
      expect(draw.drawOtherAllowed(0, [11, 12])).toBe(0);
    }
  });

  it('needs no table for equal weights', () => {
    expect(new MemberDraw(membersOf([3, 3, 3]), new XorShift128(1)).uniform).toBe(true);
    expect(new MemberDraw(membersOf([3, 2, 3]), new XorShift128(1)).uniform).toBe(false);
  });
});
