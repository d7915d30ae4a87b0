import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../../runtime/random.ts';
import { ejectionLimit, Ejections, type EjectionTimes } from './ejections.ts';

const TIMES: EjectionTimes = {
  baseEjectionMs: 10_000,
  maxEjectionMs: 35_000,
  jitterRatio: 0,
  decayMs: 30_000,
};

function create(times: Partial<EjectionTimes> = {}): Ejections {
  const ejections = new Ejections({ ...TIMES, ...times }, new XorShift128(7));
  ejections.ensureCapacity(4);
  return ejections;
}

describe('Ejections', () => {
  it('grows by one base per ejection, up to the cap', () => {
    const ejections = create();
    const durations: number[] = [];
    for (let round = 0; round < 5; round++) {
      const step = ejections.next(0, 0);
      durations.push(step.durationMs);
      ejections.began(0, step.count);
      ejections.returned(0, 0);
    }
    expect(durations).toEqual([10_000, 20_000, 30_000, 35_000, 35_000]);
  });

  it('only looks ahead until the ejection is carried out', () => {
    const ejections = create();
    expect(ejections.next(0, 0).count).toBe(1);
    expect(ejections.next(0, 0).count).toBe(1);
  });

  it.each([
    { cleanMs: 0, count: 3 },
    { cleanMs: 29_999, count: 3 },
    { cleanMs: 30_000, count: 2 },
    { cleanMs: 65_000, count: 1 },
    { cleanMs: 90_000, count: 0 },
    { cleanMs: 1e9, count: 0 },
  ])('after $cleanMs ms in rotation $count of 3 ejections are not forgiven', (row) => {
    const ejections = create();
    ejections.began(1, 3);
    ejections.returned(1, 5_000);
    expect(ejections.count(1, 5_000 + row.cleanMs)).toBe(row.count);
    expect(ejections.next(1, 5_000 + row.cleanMs).count).toBe(row.count + 1);
  });

  it('forgives nothing while the slot is out', () => {
    const ejections = create();
    ejections.began(0, 2);
    expect(ejections.count(0, 1e9)).toBe(2);
  });

  it('forgets a slot that is given away, and keeps the others when it grows', () => {
    const ejections = create();
    ejections.began(0, 2);
    ejections.began(1, 2);
    ejections.forget(0);
    ejections.ensureCapacity(100);
    expect([ejections.count(0, 0), ejections.count(1, 0)]).toEqual([0, 2]);
  });

  it('draws the jitter evenly around the plain time', () => {
    const ejections = create({ jitterRatio: 0.1 });
    const draws = Array.from({ length: 2000 }, () => ejections.next(0, 0).durationMs);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(9_000);
    expect(Math.max(...draws)).toBeLessThan(11_000);
    // Mean of 2,000 uniform draws of width 2,000: standard error 2000 / sqrt(12 * 2000) = 13.
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    expect(Math.abs(mean - 10_000)).toBeLessThan(5 * 13);
  });
});

describe('ejectionLimit', () => {
  it.each([
    { members: 0, percent: 50, limit: 0 },
    { members: 1, percent: 50, limit: 0 },
    { members: 1, percent: 100, limit: 1 },
    { members: 2, percent: 50, limit: 1 },
    { members: 3, percent: 50, limit: 1 },
    { members: 3, percent: 1, limit: 1 },
    { members: 5, percent: 10, limit: 1 },
    { members: 5, percent: 50, limit: 2 },
    { members: 29, percent: 10, limit: 2 },
    { members: 10_000, percent: 50, limit: 5000 },
  ])('$members members, $percent %: $limit', ({ members, percent, limit }) => {
    expect(ejectionLimit(members, percent)).toBe(limit);
  });
});
