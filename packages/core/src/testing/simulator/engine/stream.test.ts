import { describe, expect, it } from 'vitest';
import { Purpose, seedOf, streamOf } from './stream.ts';

const DRAWS = 200_000;

function meanAndDeviation(draw: () => number): { mean: number; deviation: number } {
  let sum = 0;
  let squares = 0;
  for (let index = 0; index < DRAWS; index++) {
    const value = draw();
    sum += value;
    squares += value * value;
  }
  const mean = sum / DRAWS;
  return { mean, deviation: Math.sqrt(squares / DRAWS - mean * mean) };
}

describe('streams', () => {
  it('repeat with the same seed, purpose and subject, and differ when one of these does', () => {
    const firstOf = (seed: number, purpose: Purpose, subject: number): number =>
      streamOf(seed, purpose, subject).unit();
    expect(firstOf(1, Purpose.work, 0)).toBe(firstOf(1, Purpose.work, 0));
    const different = new Set([
      firstOf(1, Purpose.work, 0),
      firstOf(2, Purpose.work, 0),
      firstOf(1, Purpose.arrivals, 0),
      firstOf(1, Purpose.work, 1),
    ]);
    expect(different.size).toBe(4);
  });

  it('have seeds of their own for a thousand subjects of every purpose', () => {
    const seeds = new Set<number>();
    for (const purpose of Object.values(Purpose))
      for (let subject = 0; subject < 1_000; subject++) seeds.add(seedOf(7, purpose, subject));
    // Of 9,000 draws out of 2^32, 9000^2 / 2^33 = 0.009 pairs are expected to be equal.
    expect(seeds.size).toBeGreaterThanOrEqual(Object.values(Purpose).length * 1_000 - 1);
  });

  it('have the moments of their distributions', () => {
    const stream = streamOf(3, Purpose.work);
    const uniform = meanAndDeviation(() => stream.unit());
    expect(uniform.mean).toBeCloseTo(0.5, 2);
    expect(uniform.deviation).toBeCloseTo(Math.sqrt(1 / 12), 2);
    const exponential = meanAndDeviation(() => stream.exponential(10));
    expect(exponential.mean / 10).toBeCloseTo(1, 1.7);
    expect(exponential.deviation / 10).toBeCloseTo(1, 1.7);
    const normal = meanAndDeviation(() => stream.normal());
    expect(normal.mean).toBeCloseTo(0, 1.7);
    expect(normal.deviation).toBeCloseTo(1, 1.7);
  });

  it('draw indexes below the count, all of them', () => {
    const stream = streamOf(4, Purpose.routing);
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < 50_000; draw++) {
      const index = stream.index(5);
      counts[index] = (counts[index] ?? Number.NaN) + 1;
    }
    // 10,000 each, with a deviation of sqrt(50,000 * 0.2 * 0.8) = 89.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 89);
  });

  it('shuffle without losing anybody', () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const shuffled = streamOf(5, Purpose.layout).shuffled(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
