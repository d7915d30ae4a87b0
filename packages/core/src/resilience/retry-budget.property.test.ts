import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

describe('RetryBudget, any traffic', () => {
  it('never grants more than ratio and minimum allow in any aligned window, and never counts below zero', () => {
    const step = fc.record({
      pauseMs: fc.integer({ min: 0, max: 4_000 }),
      requests: fc.integer({ min: 0, max: 30 }),
      retriesWanted: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (steps, ratio, minPerSecond, windowSeconds) => {
          const budget = new RetryBudget({ ratio, minPerSecond, windowSeconds });
          const log: { second: number; requests: number; granted: number }[] = [];
          let nowMs = 0;
          for (const { pauseMs, requests, retriesWanted } of steps) {
            nowMs += pauseMs;
            for (let i = 0; i < requests; i++) budget.deposit(nowMs);
            let granted = 0;
            for (let i = 0; i < retriesWanted; i++) if (budget.tryWithdraw(nowMs)) granted++;
            const second = Math.floor(nowMs / 1_000);
            log.push({ second, requests, granted });
            const inWindow = log.filter((entry) => entry.second > second - windowSeconds);
            const spent = inWindow.reduce((sum, entry) => sum + entry.granted, 0);
            const earned = inWindow.reduce((sum, entry) => sum + entry.requests, 0);
            // Retries granted on deposits that have since left the window may stand; those of this step may not.
            if (granted > 0)
              expect(spent).toBeLessThanOrEqual(
                ratio * earned + minPerSecond * windowSeconds + 1e-9,
              );
            expect(budget.remaining(nowMs)).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { seed: 7, numRuns: 300 },
    );
  });
});
