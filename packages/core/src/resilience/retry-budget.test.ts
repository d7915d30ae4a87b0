import { describe, expect, it } from 'vitest';
import { isEvenkeelError } from '../error/evenkeel-error.ts';
import { RetryBudget } from './retry-budget.ts';

/** Retries until the budget refuses. */
function drain(budget: RetryBudget, nowMs: number): number {
  let count = 0;
  while (budget.tryWithdraw(nowMs)) count++;
  return count;
}

describe('RetryBudget', () => {
  it('lets a quiet client retry: the minimum per second holds for the whole window at once', () => {
    expect(drain(new RetryBudget({ ratio: 0.2, minPerSecond: 10, windowSeconds: 10 }), 0)).toBe(
      100,
    );
  });

  it('allows the ratio of the first tries in the window', () => {
    const budget = new RetryBudget({ ratio: 0.25, minPerSecond: 0 });
    for (let request = 0; request < 100; request++) budget.deposit(5_000);
    expect(budget.remaining(5_000)).toBe(25);
    expect(drain(budget, 5_500)).toBe(25);
    expect(budget.remaining(5_500)).toBe(0);
  });

  it('grants whole retries only', () => {
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 0 });
    for (let request = 0; request < 4; request++) budget.deposit(0);
    expect(budget.tryWithdraw(0)).toBe(false);
    budget.deposit(0);
    expect(budget.tryWithdraw(0)).toBe(true);
    expect(budget.tryWithdraw(0)).toBe(false);
  });

  it('forgets first tries and retries when they leave the window', () => {
    const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0, windowSeconds: 2 });
    for (let request = 0; request < 10; request++) budget.deposit(0);
    expect(drain(budget, 1_999)).toBe(5);
    // At 2 s the deposits of second 0 are gone, the withdrawals of second 1 are not.
    expect(budget.remaining(2_000)).toBe(0);
    expect(budget.remaining(3_000)).toBe(0);
    budget.deposit(3_000);
    budget.deposit(3_000);
    expect(drain(budget, 3_000)).toBe(1);
  });

  it('starts afresh after a pause longer than the window', () => {
    const budget = new RetryBudget({ ratio: 1, minPerSecond: 1, windowSeconds: 3 });
    for (let request = 0; request < 7; request++) budget.deposit(1_000);
    drain(budget, 1_000);
    expect(budget.remaining(1_000_000)).toBe(3);
  });

  it('counts into the newest second when the clock steps back', () => {
    const budget = new RetryBudget({ ratio: 1, minPerSecond: 0 });
    budget.deposit(50_000);
    budget.deposit(10_000);
    expect(drain(budget, 20_000)).toBe(2);
  });

  it('keeps a total outage from amplifying: two retries wanted per request, 20 % and the minimum granted', () => {
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 10, windowSeconds: 10 });
    const perSecond = 1_000;
    let retries = 0;
    for (let nowMs = 0; nowMs < 60_000; nowMs += 1_000 / perSecond) {
      budget.deposit(nowMs);
      if (budget.tryWithdraw(nowMs)) retries++;
      if (budget.tryWithdraw(nowMs)) retries++;
    }
    const requests = 60 * perSecond;
    // Every 10 s window holds at most 0.2 of its requests and 100 more; 60 s are six of them.
    expect(retries).toBeLessThanOrEqual(0.2 * requests + 6 * 100);
    expect(retries).toBeGreaterThan(0.15 * requests);
  });

  it.each([
    [{ ratio: -1 }, 'retryBudget.ratio: expected a number from 0 to 10, got -1'],
    [
      { minPerSecond: Number.NaN },
      'retryBudget.minPerSecond: expected a number from 0 to 1000000, got NaN',
    ],
    [
      { windowSeconds: 0.5 },
      'retryBudget.windowSeconds: expected an integer from 1 to 60, got 0.5',
    ],
  ])('refuses %o', (options, message) => {
    expect(() => new RetryBudget(options)).toThrow(message);
    try {
      new RetryBudget(options);
    } catch (error) {
      expect(isEvenkeelError(error, 'EVENKEEL_CONFIG')).toBe(true);
    }
  });

  it('takes a retry back that was not made, also in a later second', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 1, windowSeconds: 2 });
    expect([budget.tryWithdraw(0), budget.tryWithdraw(0), budget.tryWithdraw(0)]).toEqual([
      true,
      true,
      false,
    ]);
    budget.refund(1_500);
    expect(budget.remaining(1_500)).toBe(1);
    // Never more than there is: what has left the window cannot be given back as well.
    expect(budget.remaining(2_500)).toBe(2);
    budget.refund(2_500);
    expect(budget.remaining(2_500)).toBe(2);
  });
});
