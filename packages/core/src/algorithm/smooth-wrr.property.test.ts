import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmoothWeightedRoundRobin } from './smooth-wrr.ts';
import { hardWeights, largestDeviation } from './test-support/balance.ts';

function create(weights: readonly number[]): SmoothWeightedRoundRobin {
  const schedule = new SmoothWeightedRoundRobin();
  schedule.update([...weights.keys()], weights);
  return schedule;
}

describe('SmoothWeightedRoundRobin', () => {
  it('gives a a b a c a a for weights 5, 1, 1, like nginx', () => {
    const schedule = create([5, 1, 1]);
    const picks = Array.from({ length: 14 }, () => 'abc'[schedule.pick()]);
    expect(picks.join('')).toBe('aabacaaaabacaa');
  });

  it.each(hardWeights)('is never two picks off: $name', ({ weights }) => {
    expect(largestDeviation(create(weights), weights, 5_000)).toBeLessThan(2);
  });

  it('is never two picks off for any small weights', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 });
    const smooth = fc.property(weights, (drawn) => {
      expect(largestDeviation(create(drawn), drawn, 500)).toBeLessThan(2);
    });
    fc.assert(smooth, { seed: 1, numRuns: 100 });
  });

  it('picks equal weights in turn', () => {
    const schedule = create([3, 3, 3]);
    expect(Array.from({ length: 6 }, () => schedule.pick())).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('keeps the credit of those who stay', () => {
    const schedule = create([1, 1, 1, 1]);
    expect([schedule.pick(), schedule.pick()]).toEqual([0, 1]);
    schedule.update([0, 1, 2, 3, 9]); // a newcomer does not give the turn back to the first
    expect([schedule.pick(), schedule.pick()]).toEqual([2, 3]);
    schedule.update([1, 2, 3, 9]);
    expect(schedule.pick()).toBe(9);
  });

  it('stays proportional when members change after every few picks', () => {
    const schedule = create([1, 1, 1]);
    const counts = new Map<number, number>();
    for (let round = 0; round < 300; round++) {
      schedule.update([0, 1, 2, 100 + round]);
      for (let pick = 0; pick < 4; pick++) {
        const endpoint = schedule.pick();
        counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
      }
    }
    // Each of the three that stay has a quarter of 1200 picks.
    for (const endpoint of [0, 1, 2])
      expect(Math.abs(counts.get(endpoint)! - 300)).toBeLessThanOrEqual(2);
  });

  it('does not hold old weights against an endpoint', () => {
    const schedule = create([1_000, 1_000]);
    schedule.pick();
    // In units of the new weights the debt of the picked one would take 100 picks to pay.
    schedule.update([0, 1], [10, 10]);
    const picks = Array.from({ length: 10 }, () => schedule.pick());
    expect(picks.filter((endpoint) => endpoint === 0).length).toBe(5);
  });

  it('has nobody to offer without endpoints, and can become empty', () => {
    const schedule = create([]);
    expect(schedule.pick()).toBe(-1);
    schedule.update([7]);
    expect(schedule.pick()).toBe(7);
    schedule.update([]);
    expect(schedule.pick()).toBe(-1);
    expect(schedule.size).toBe(0);
  });

  it('refuses bad weights and keeps the old members', () => {
    const schedule = create([1]);
    expect(() => schedule.update([0, 1], [1, 0])).toThrow('weights[1] must be above 0, got 0');
    expect(schedule.pick()).toBe(0);
  });
});
