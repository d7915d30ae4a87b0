import { describe, expect, it } from 'vitest';
import type { HedgeOptions } from './hedge-config.ts';
import { type HedgeableRequest, HedgePolicy, NO_HEDGE } from './hedge-policy.ts';
import { RetryBudget } from './retry-budget.ts';

const GET: HedgeableRequest = { idempotent: true, replayable: true };

function createPolicy(options: HedgeOptions = {}, budget = new RetryBudget()): HedgePolicy {
  return new HedgePolicy(options, { budget });
}

/** 1, 2, ... 1000 ms. */
function teach(policy: HedgePolicy): void {
  for (let latencyMs = 1; latencyMs <= 1_000; latencyMs++) policy.observe(latencyMs);
}

describe('the delay', () => {
  it('is the 95th percentile by default, once enough is known', () => {
    const policy = createPolicy();
    expect(policy.delayMs(0)).toBe(NO_HEDGE);
    for (let sample = 0; sample < 99; sample++) policy.observe(20);
    expect(policy.delayMs(100)).toBe(NO_HEDGE);
    teach(policy);
    // Within a bucket of the histogram, 9 %, and its share of the 99 samples of 20 ms.
    expect(policy.delayMs(200)).toBeGreaterThan(950 / 1.1);
    expect(policy.delayMs(200)).toBeLessThan(950 * 1.1);
  });

  it('is read every `refreshMs`, not more often', () => {
    const policy = createPolicy({ refreshMs: 1_000, minSamples: 1 });
    policy.observe(10);
    const first = policy.delayMs(0);
    expect(first).toBeLessThan(12);
    teach(policy);
    expect(policy.delayMs(999)).toBe(first);
    expect(policy.delayMs(1_000)).toBeGreaterThan(800);
  });

  it('is fixed when told so, and learns nothing then', () => {
    const policy = createPolicy({ delayMs: 30 });
    teach(policy);
    expect(policy.delayMs(0)).toBe(30);
    expect(policy.delayMs(1e6)).toBe(30);
  });

  it('is the fixed one until the percentile is known, when both are given', () => {
    const policy = createPolicy({ delayMs: 30, percentile: 50 });
    expect(policy.delayMs(0)).toBe(30);
    teach(policy);
    expect(policy.delayMs(100)).toBeGreaterThan(450);
    expect(policy.delayMs(100)).toBeLessThan(550);
  });

  it('is never below the least one', () => {
    expect(createPolicy({ delayMs: 0 }).delayMs(0)).toBe(1);
    const policy = createPolicy({ minDelayMs: 5 });
    for (let sample = 0; sample < 200; sample++) policy.observe(0.3);
    expect(policy.delayMs(0)).toBe(5);
  });

  it('falls back when latencies are so old that they no longer count', () => {
    const policy = createPolicy({ delayMs: 30, percentile: 95, tauMs: 1_000 });
    policy.delayMs(0);
    teach(policy);
    expect(policy.delayMs(100)).toBeGreaterThan(800);
    expect(policy.delayMs(60_000)).toBe(30);
  });
});

describe('tryHedge', () => {
  it.each<[string, HedgeableRequest, number, string]>([
    ['an idempotent request', GET, 0, 'hedge'],
    ['a request with effects', { ...GET, idempotent: false }, 0, 'not-idempotent'],
    ['a body that is read only once', { ...GET, replayable: false }, 0, 'body-consumed'],
    ['a second hedge', GET, 1, 'exhausted'],
    ['with 1 ms left', { ...GET, deadlineAtMs: 101 }, 0, 'hedge'],
    ['with less left', { ...GET, deadlineAtMs: 100.9 }, 0, 'deadline'],
  ])('%s: %s', (_name, request, used, verdict) => {
    expect(createPolicy().tryHedge(request, used, 100)).toBe(verdict);
  });

  it('takes from the budget of the retries, and only when it is granted', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 2, windowSeconds: 1 });
    const policy = createPolicy({ maxHedges: 4 }, budget);
    policy.tryHedge({ ...GET, idempotent: false }, 0, 0);
    expect(budget.remaining(0)).toBe(2);
    expect(policy.tryHedge(GET, 0, 0)).toBe('hedge');
    expect(budget.tryWithdraw(0)).toBe(true);
    expect(policy.tryHedge(GET, 1, 0)).toBe('budget');
    expect([policy.hedgeCount, policy.refusedCount]).toEqual([1, 1]);
  });

  it.each([
    [{ percentile: 100 }, 'hedge.percentile: expected a number from 1 to 99.99, got 100'],
    [{ maxHedges: 5 }, 'hedge.maxHedges: expected an integer from 1 to 4, got 5'],
    [{ delayM: 5 }, "hedge.delayM: expected no such option; did you mean 'delayMs'?"],
  ])('refuses %j', (options, message) => {
    expect(() => createPolicy(options as HedgeOptions)).toThrow(message);
  });

  it('gives a hedge back that found no other endpoint', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 1, windowSeconds: 1 });
    const policy = createPolicy({ delayMs: 5 }, budget);
    expect(policy.tryHedge(GET, 0, 0)).toBe('hedge');
    policy.giveBack(0);
    expect(policy.hedgeCount).toBe(0);
    expect(policy.tryHedge(GET, 0, 0)).toBe('hedge');
  });
});
