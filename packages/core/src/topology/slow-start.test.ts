import { describe, expect, it } from 'vitest';
import { slowStartFactor, slowStartStepMs } from './slow-start.ts';

const MINUTE = { windowMs: 60_000, aggression: 1, minWeightPercent: 10 };

// The same table stands in docs/concepts/slow-start.md.
describe('slowStartFactor', () => {
  it.each([
    { seconds: 0, even: 10, fast: 13, late: 10 },
    { seconds: 6, even: 10, fast: 32, late: 10 },
    { seconds: 15, even: 25, fast: 50, late: 10 },
    { seconds: 30, even: 50, fast: 71, late: 25 },
    { seconds: 45, even: 75, fast: 87, late: 56 },
    { seconds: 60, even: 100, fast: 100, late: 100 },
  ])('after $seconds s', ({ seconds, even, fast, late }) => {
    const percentAt = (aggression: number): number =>
      Math.round(100 * slowStartFactor(seconds * 1_000, { ...MINUTE, aggression }));
    expect([percentAt(1), percentAt(2), percentAt(0.5)]).toEqual([even, fast, late]);
  });

  it('never falls, and ends at the full weight', () => {
    for (const aggression of [0.1, 0.7, 1, 3, 10]) {
      let before = 0;
      for (let ageMs = -5_000; ageMs <= 70_000; ageMs += 500) {
        const factor = slowStartFactor(ageMs, { ...MINUTE, aggression });
        expect(factor).toBeGreaterThanOrEqual(before);
        expect(factor).toBeLessThanOrEqual(1);
        before = factor;
      }
      expect(before).toBe(1);
    }
  });

  it('is over at once in the shortest window', () => {
    expect(slowStartFactor(0, { ...MINUTE, windowMs: 1_000 })).toBe(1);
  });
});

describe('slowStartStepMs', () => {
  it('divides the window, but not into moments', () => {
    expect(slowStartStepMs(MINUTE)).toBe(1_200);
    expect(slowStartStepMs({ ...MINUTE, windowMs: 1_000 })).toBe(100);
  });
});
