import { describe, expect, it } from 'vitest';
import { Outcome, OUTCOME_NAMES, type OutcomeName } from '../../model/outcome.ts';
import { type FailureOrigin, IntervalCounts } from './interval-counts.ts';
import { intervalOf } from './test-support/interval-of.ts';

describe('IntervalCounts', () => {
  /** For each outcome: does it count as a success (+), as a failure (-), or not at all (.)? */
  it.each<[OutcomeName, Record<FailureOrigin, string>]>([
    ['success', { any: '+', external: '+', local: '+' }],
    ['serverError', { any: '-', external: '-', local: '+' }],
    ['gatewayError', { any: '-', external: '-', local: '+' }],
    ['overloaded', { any: '.', external: '.', local: '+' }],
    ['connectFailure', { any: '-', external: '.', local: '-' }],
    ['reset', { any: '-', external: '.', local: '-' }],
    ['timeout', { any: '-', external: '.', local: '-' }],
    ['cancelled', { any: '.', external: '.', local: '.' }],
  ])('sorts %s', (name, expected) => {
    const counts = intervalOf({ [name]: 3 });
    for (const origin of ['any', 'external', 'local'] as const) {
      const [good, bad] = [counts.successes(0, origin), counts.failures(0, origin)];
      expect({ origin, good, bad }).toEqual({
        origin,
        good: expected[origin] === '+' ? 3 : 0,
        bad: expected[origin] === '-' ? 3 : 0,
      });
    }
  });

  it('knows every outcome', () => {
    const counts = intervalOf(Object.fromEntries(OUTCOME_NAMES.map((name) => [name, 1])));
    expect(counts.failures(0, 'any')).toBe(5);
  });

  it('shows the last full interval while the next one is counted', () => {
    const counts = intervalOf({ success: 2 });
    counts.add(0, Outcome.reset);
    expect([counts.successes(0, 'any'), counts.failures(0, 'any')]).toEqual([2, 0]);
    counts.turn();
    expect([counts.successes(0, 'any'), counts.failures(0, 'any')]).toEqual([0, 1]);
    counts.turn();
    expect([counts.successes(0, 'any'), counts.failures(0, 'any')]).toEqual([0, 0]);
  });

  it('forgets one slot, or all', () => {
    const counts = intervalOf({ success: 2 }, { success: 3 });
    counts.add(0, Outcome.success);
    counts.add(1, Outcome.success);
    counts.reset(0);
    expect([counts.successes(0, 'any'), counts.successes(1, 'any')]).toEqual([0, 3]);
    counts.turn();
    expect([counts.successes(0, 'any'), counts.successes(1, 'any')]).toEqual([0, 1]);
    counts.add(1, Outcome.success);
    counts.clear();
    expect(counts.successes(1, 'any')).toBe(0);
    counts.turn();
    expect(counts.successes(1, 'any')).toBe(0);
  });

  it('keeps both intervals when it grows', () => {
    const counts = intervalOf({ success: 2 });
    counts.add(0, Outcome.success);
    counts.ensureCapacity(500);
    expect(counts.successes(0, 'any')).toBe(2);
    counts.add(499, Outcome.timeout);
    counts.turn();
    expect([counts.successes(0, 'any'), counts.failures(499, 'local')]).toEqual([1, 1]);
  });

  it('has nothing of slots out of range', () => {
    const counts = new IntervalCounts();
    expect([counts.successes(7, 'local'), counts.failures(7, 'any')]).toEqual([0, 0]);
  });
});
