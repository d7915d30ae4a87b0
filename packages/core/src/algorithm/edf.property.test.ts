import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../runtime/random.ts';
import { EdfScheduler, vanDerCorput } from './edf.ts';
import { hardWeights, largestDeviation } from './test-support/balance.ts';

function create(weights: readonly number[], seed?: number): EdfScheduler {
  const schedule = new EdfScheduler(seed === undefined ? {} : { random: new XorShift128(seed) });
  schedule.update([...weights.keys()], weights);
  return schedule;
}

describe('EdfScheduler', () => {
  it.each(hardWeights)('is at most 4 picks off: $name', ({ weights }) => {
    expect(largestDeviation(create(weights), weights, 5_000)).toBeLessThanOrEqual(4);
    for (const seed of [1, 2, 3]) {
      expect(largestDeviation(create(weights, seed), weights, 5_000)).toBeLessThanOrEqual(4);
    }
  });

  it('is at most 4 picks off for any weights', () => {
    const weights = fc.array(fc.double({ min: 0.1, max: 50, noNaN: true }), {
      minLength: 1,
      maxLength: 40,
    });
    const even = fc.property(weights, fc.integer(), (drawn, seed) => {
      expect(largestDeviation(create(drawn, seed), drawn, 1_000)).toBeLessThanOrEqual(4);
    });
    fc.assert(even, { seed: 1, numRuns: 100 });
  });

  it('picks equal weights once each a round', () => {
    const schedule = create(Array<number>(37).fill(2));
    for (let round = 0; round < 5; round++) {
      expect(new Set(Array.from({ length: 37 }, () => schedule.pick())).size).toBe(37);
    }
  });

  it('starts elsewhere for every client', () => {
    const firsts = Array.from({ length: 200 }, (_, seed) =>
      create(Array<number>(10).fill(1), seed).pick(),
    );
    // Uniform over 10: each expected 20 times, sigma = 4.2.
    for (let endpoint = 0; endpoint < 10; endpoint++) {
      const times = firsts.filter((first) => first === endpoint).length;
      expect(Math.abs(times - 20)).toBeLessThan(4 * 4.2);
    }
  });

  it('stays proportional while members come, go and change weight', () => {
    const changes = fc.array(
      fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 6, maxLength: 6 }),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    const fair = fc.property(changes, fc.integer({ min: 1, max: 40 }), (sequence, picksEach) => {
      const schedule = new EdfScheduler({ random: new XorShift128(9) });
      const counts = Array<number>(6).fill(0);
      const ideals = Array<number>(6).fill(0);
      for (const weights of sequence) {
        const members = weights.flatMap((weight, endpoint) => (weight > 0 ? [endpoint] : []));
        schedule.update(
          members,
          members.map((endpoint) => weights[endpoint]!),
        );
        const sum = weights.reduce((total, weight) => total + weight, 0);
        for (let pick = 0; pick < picksEach && sum > 0; pick++) {
          const endpoint = schedule.pick();
          expect(members).toContain(endpoint);
          counts[endpoint] = counts[endpoint]! + 1;
          for (const member of members) ideals[member] = ideals[member]! + weights[member]! / sum;
        }
      }
      // An endpoint that leaves and returns starts anew, which may cost or gain it up to one pick each time, as may the
      // rescaling of what is left of a period.
      for (const [endpoint, ideal] of ideals.entries()) {
        expect(Math.abs(counts[endpoint]! - ideal)).toBeLessThanOrEqual(4 + sequence.length);
      }
    });
    fc.assert(fair, { seed: 2, numRuns: 200 });
  });

  it('goes on where it was after an update that changes nothing', () => {
    const weights = [3, 1, 4, 1, 5, 9, 2, 6];
    const one = create(weights, 7);
    const other = create(weights, 7);
    for (let pick = 0; pick < 500; pick++) {
      if (pick % 5 === 0) other.update([...weights.keys()], weights);
      expect(other.pick()).toBe(one.pick());
    }
  });

  it('takes the members in any order of their numbers', () => {
    const schedule = new EdfScheduler();
    schedule.update([70_000, 5, 12], [1, 2, 1]);
    const picks = Array.from({ length: 40 }, () => schedule.pick());
    expect(picks.filter((endpoint) => endpoint === 5).length).toBe(20);
    expect(schedule.size).toBe(3);
  });

  it('has nobody to offer without endpoints', () => {
    const schedule = new EdfScheduler();
    expect(schedule.pick()).toBe(-1);
    schedule.update([4]);
    expect([schedule.pick(), schedule.pick()]).toEqual([4, 4]);
    schedule.update([]);
    expect(schedule.pick()).toBe(-1);
  });

  it('refuses bad weights and keeps the old members', () => {
    const schedule = create([1]);
    expect(() => schedule.update([0, 1], [1, NaN])).toThrow(TypeError);
    expect(schedule.pick()).toBe(0);
  });
});

describe('vanDerCorput', () => {
  it('mirrors the binary digits', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7].map(vanDerCorput)).toEqual([
      0, 0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875,
    ]);
  });
});
