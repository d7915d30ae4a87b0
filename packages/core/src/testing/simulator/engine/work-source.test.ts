import { describe, expect, it } from 'vitest';
import type { Scenario } from '../scenario/scenario.ts';
import { Purpose, streamOf } from './stream.ts';
import { createWorkSource } from './work-source.ts';

function draws(work: Partial<Scenario['work']>, count = 300_000): number[] {
  const source = createWorkSource({
    meanMs: 10,
    shape: 'exponential',
    alpha: 1.8,
    capMs: 1_000,
    ...work,
  });
  const stream = streamOf(1, Purpose.work);
  return Array.from({ length: count }, () => source(stream));
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe('work', () => {
  it.each(['constant', 'exponential', 'normal', 'pareto'] as const)(
    '%s has the mean that was asked for',
    (shape) => {
      // The deviation of the capped Pareto is about 3 means: 3 / sqrt(300,000) = 0.55 % of the mean of draws.
      expect(meanOf(draws({ shape })) / 10).toBeCloseTo(1, 1.7);
    },
  );

  it('normal is cut at 0: Phi(-1) = 15.9 % of the requests need no work', () => {
    const values = draws({ shape: 'normal' });
    expect(Math.min(...values.slice(0, 1_000))).toBe(0);
    const idle = values.filter((value) => value === 0).length / values.length;
    expect(idle).toBeCloseTo(0.1587, 2);
  });

  it('pareto has a heavy tail that ends at the cap', () => {
    const values = draws({ shape: 'pareto', capMs: 500 });
    let most = 0;
    for (const value of values) most = Math.max(most, value);
    expect(most).toBe(500);
    // P(X > 100) = (least / 100)^1.8 with a least of about 4.5: 0.4 %; an exponential has exp(-10) = 0.005 %.
    const large = values.filter((value) => value > 100).length / values.length;
    expect(large).toBeGreaterThan(0.003);
    expect(large).toBeLessThan(0.005);
  });

  it('constant is constant', () => {
    expect(new Set(draws({ shape: 'constant' }, 100))).toEqual(new Set([10]));
  });
});
