import { describe, expect, it } from 'vitest';
import type { IntervalCounts } from './interval-counts.ts';
import type { ComparisonRule } from './rule.ts';
import { membersAt, setUpDetector as setUp } from './test-support/detector-harness.ts';

interface ScriptedRule extends ComparisonRule {
  /** What each sweep was shown: slot to successes and failures. */
  readonly swept: Record<number, string>[];
}

/** Stands for a comparison: finds the slots it is told to find. */
function scripted(find: readonly number[], minimumEndpoints = 1): ScriptedRule {
  const swept: Record<number, string>[] = [];
  return {
    swept,
    minimumEndpoints,
    sweep: (slots: readonly number[], counts: IntervalCounts) => {
      swept.push(
        Object.fromEntries(
          slots.map((slot) => [
            slot,
            `${counts.successes(slot, 'any')}+${counts.failures(slot, 'any')}`,
          ]),
        ),
      );
      return find.map((slot) => ({
        slot,
        finding: { detector: 'success-rate', reason: 'far below the others' },
      }));
    },
  };
}

describe('rules that compare members', () => {
  it('are asked once per interval about the slots in rotation', () => {
    const rule = scripted([2]);
    const { advance, heard, record, detector, runtime } = setUp({ comparisonRules: [rule] });
    record(0, 'success', 3);
    record(2, 'reset', 2);
    advance(10_000);
    record(3, 'success');
    advance(9_999);
    expect(rule.swept).toEqual([{ 0: '3+0', 1: '0+0', 2: '0+2', 3: '0+0' }]);
    advance(1);
    // Found again while it is out, which changes nothing.
    expect(heard()).toEqual(['eject 2 success-rate 1 10000 @10000']);
    expect(rule.swept[1]).toEqual({ 0: '0+0', 1: '0+0', 3: '1+0' });
    detector.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('take their interval from the options', () => {
    const rule = scripted([]);
    const { advance } = setUp({ comparisonRules: [rule], intervalMs: 2_500 });
    advance(10_000);
    expect(rule.swept).toHaveLength(4);
  });

  it('need no timer while there are too few members, and begin with a whole interval', () => {
    const rule = scripted([], 3);
    const { advance, record, detector, runtime } = setUp({ members: 2, comparisonRules: [rule] });
    record(0, 'success', 1_000);
    expect(runtime.scheduler.pendingCount).toBe(0);
    expect(detector.status(0)?.lastInterval).toBeUndefined();
    advance(5_000);
    detector.update(membersAt(0, 1, 2));
    record(0, 'success', 7);
    advance(9_999);
    expect(rule.swept).toEqual([]);
    advance(1);
    expect(rule.swept).toEqual([{ 0: '7+0', 1: '0+0', 2: '0+0' }]);
    expect(detector.status(0)?.lastInterval).toEqual({ successCount: 7, failureCount: 0 });
    detector.update(membersAt(0, 1));
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('see nothing of the time in which a slot was out, but the outcome that ends its probation', () => {
    const find = [1];
    const rule = scripted(find);
    const { advance, record, heard } = setUp({
      comparisonRules: [rule],
      intervalMs: 1_000,
      returnBy: 'time',
    });
    advance(1_000);
    find.pop();
    record(1, 'serverError', 9);
    advance(10_500);
    expect(heard()).toEqual(['eject 1 success-rate 1 10000 @1000', 'return 1 time @11000']);
    record(1, 'success', 2);
    advance(500);
    expect(rule.swept.at(-1)).toMatchObject({ 1: '2+0' });
  });

  it('see nothing of what led to an ejection earlier in the interval', () => {
    const find = [1];
    const rule = scripted(find);
    const { advance, record } = setUp({
      comparisonRules: [rule],
      intervalMs: 15_000,
      baseEjectionMs: 5_000,
    });
    record(1, 'serverError', 9);
    advance(15_000);
    find.pop();
    expect(rule.swept[0]).toMatchObject({ 1: '0+9' });
    record(1, 'serverError', 9);
    advance(5_000);
    record(1, 'success');
    advance(10_000);
    expect(rule.swept[1]).toMatchObject({ 1: '0+0' });
  });

  it('leave a run of failures standing when the limit forbids the ejection', () => {
    const { advance, heard, detector, record } = setUp({
      members: 1,
      successRate: false,
      failurePercentage: { minimumEndpoints: 1, minimumRequests: 1 },
    });
    record(0, 'serverError', 4);
    advance(10_000);
    expect(heard()).toEqual(['skip 0 failure-percentage limit @10000']);
    expect(detector.status(0)).toMatchObject({ consecutiveFailures: 4, skippedCount: 1 });
    record(0, 'serverError');
    expect(heard()).toEqual(['skip 0 consecutive-failures limit @10000']);
    expect(detector.status(0)).toMatchObject({ consecutiveFailures: 0, skippedCount: 2 });
  });

  it('each report what is not enforced', () => {
    const { advance, heard, record } = setUp({
      members: 5,
      consecutive: { failures: 0 },
      successRate: {},
      failurePercentage: {},
      enforcingPercent: { successRate: 0 },
    });
    for (const slot of [0, 1, 2, 3]) record(slot, 'success', 100);
    record(4, 'serverError', 100);
    advance(10_000);
    expect(heard()).toEqual([
      'skip 4 success-rate not-enforced @10000',
      'eject 4 failure-percentage 1 10000 @10000',
    ]);
  });

  it('eject the worst when the limit does not allow all', () => {
    const { advance, heard, record } = setUp({
      members: 20,
      consecutive: { failures: 0 },
      successRate: {},
      maxEjectionPercent: 5,
    });
    for (let slot = 0; slot < 20; slot++) record(slot, 'success', 100);
    record(3, 'serverError', 90);
    record(7, 'serverError', 100);
    advance(10_000);
    expect(heard()).toEqual([
      'eject 7 success-rate 1 10000 @10000',
      'skip 3 success-rate limit @10000',
    ]);
  });

  it('judge local-origin failures apart when they are split off', () => {
    const { advance, heard, record } = setUp({
      members: 12,
      consecutive: { failures: 0, localOriginFailures: 0 },
      successRate: {},
      splitLocalOriginErrors: true,
    });
    for (let slot = 0; slot < 12; slot++) record(slot, 'success', 100);
    record(3, 'serverError', 50);
    record(7, 'timeout', 50);
    advance(10_000);
    expect(heard()).toEqual([
      'eject 3 success-rate 1 10000 @10000',
      'eject 7 local-origin-success-rate 1 10000 @10000',
    ]);
  });

  it('forget what a slot did for another endpoint', () => {
    const rule = scripted([]);
    const { advance, record, detector } = setUp({ comparisonRules: [rule] });
    record(1, 'serverError', 5);
    detector.update(membersAt(0, 2, 3));
    detector.update(membersAt(0, 1, 2, 3));
    advance(10_000);
    expect(rule.swept[0]).toMatchObject({ 1: '0+0' });
  });
});
