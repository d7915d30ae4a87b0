import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { DeadlinePolicy, NO_DEADLINE, remainingMs } from './deadline.ts';

describe('DeadlinePolicy', () => {
  it('lets a caller shorten the deadline and never lengthen it', () => {
    const policy = new DeadlinePolicy({ totalMs: 1_000 });
    expect(policy.begin(50)).toBe(1_050);
    expect(policy.begin(50, 400)).toBe(450);
    expect(policy.begin(50, 5_000)).toBe(1_050);
    expect(policy.begin(50, 0)).toBe(50);
    expect(new DeadlinePolicy({ totalMs: 1_000, inherit: false }).begin(50, 400)).toBe(1_050);
    expect(new DeadlinePolicy().begin(50)).toBe(NO_DEADLINE);
    expect(new DeadlinePolicy().begin(50, 400)).toBe(450);
  });

  it('gives a try the rest of the total, at most its own limit', () => {
    const policy = new DeadlinePolicy({ totalMs: 1_000, perTryTimeoutMs: 300 });
    const deadlineAtMs = policy.begin(0);
    expect(policy.tryTimeoutMs(deadlineAtMs, 0)).toBe(300);
    expect(policy.tryTimeoutMs(deadlineAtMs, 800)).toBe(200);
    expect(policy.tryTimeoutMs(deadlineAtMs, 1_000)).toBe(0);
    expect(policy.tryTimeoutMs(deadlineAtMs, 9_999)).toBe(0);
    expect(new DeadlinePolicy().tryTimeoutMs(NO_DEADLINE, 0)).toBe(NO_DEADLINE);
  });

  it('refuses a try that would not have time enough', () => {
    const policy = new DeadlinePolicy({ totalMs: 100, minTryMs: 10 });
    expect(policy.allowsTry(100, 50)).toBe(true);
    expect(policy.allowsTry(100, 90)).toBe(true);
    expect(policy.allowsTry(100, 91)).toBe(false);
    expect(policy.allowsTry(100, 50, 40)).toBe(true);
    expect(policy.allowsTry(100, 50, 41)).toBe(false);
    expect(policy.allowsTry(NO_DEADLINE, 50, 1e9)).toBe(true);
  });

  it('tells the endpoint less as time passes, and takes the way off', () => {
    const policy = new DeadlinePolicy({ totalMs: 1_000, perTryTimeoutMs: 700, hopMs: 5 });
    const deadlineAtMs = policy.begin(0);
    expect(policy.outgoingMs(deadlineAtMs, 100)).toBe(695);
    expect(policy.outgoingMs(deadlineAtMs, 600)).toBe(395);
    expect(policy.outgoingMs(deadlineAtMs, 997)).toBe(0);
    expect(new DeadlinePolicy({ totalMs: 9, propagate: false }).outgoingMs(9, 0)).toBe(NO_DEADLINE);
  });

  it.each([
    // [configuration, time the try had, what it says about the endpoint]
    [{ perTryTimeoutMs: 200, totalMs: 1_000 }, 200, Outcome.timeout],
    [{ perTryTimeoutMs: 200, totalMs: 1_000 }, 100, Outcome.timeout],
    [{ perTryTimeoutMs: 200, totalMs: 1_000 }, 99, Outcome.cancelled],
    [{ totalMs: 1_000 }, 500, Outcome.timeout],
    [{ totalMs: 1_000 }, 1, Outcome.cancelled],
    // Without a limit of its own, a client takes a second for fair.
    [{}, 999, Outcome.cancelled],
    [{}, 1_000, Outcome.timeout],
  ])(
    'blames the endpoint only for a fair amount of time: %j, %d ms',
    (options, allowedMs, outcome) => {
      expect(new DeadlinePolicy(options).outcomeOfTimeout(allowedMs)).toBe(outcome);
    },
  );

  it('knows of a limit for tries that is kept elsewhere', () => {
    const policy = new DeadlinePolicy({ totalMs: 900 });
    expect(policy.outcomeOfTimeout(400)).toBe(Outcome.cancelled);
    expect(policy.outcomeOfTimeout(400, 500)).toBe(Outcome.timeout);
    // Without limits of its own a second is fair, or half of that other limit.
    expect(new DeadlinePolicy().outcomeOfTimeout(999, 30_000)).toBe(Outcome.cancelled);
    expect(new DeadlinePolicy().outcomeOfTimeout(1_000, 30_000)).toBe(Outcome.timeout);
    expect(new DeadlinePolicy().outcomeOfTimeout(100, 200)).toBe(Outcome.timeout);
  });

  it('never gives to tries and pauses more than the total', () => {
    const time = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(time, time, fc.array(time, { maxLength: 20 }), (totalMs, perTryMs, steps) => {
        const policy = new DeadlinePolicy({ totalMs, perTryTimeoutMs: perTryMs });
        const deadlineAtMs = policy.begin(0);
        let nowMs = 0;
        for (const pauseMs of steps) {
          if (!policy.allowsTry(deadlineAtMs, nowMs, pauseMs)) break;
          nowMs += pauseMs;
          const limitMs = policy.tryTimeoutMs(deadlineAtMs, nowMs);
          expect(limitMs).toBeGreaterThanOrEqual(policy.config.minTryMs);
          expect(limitMs).toBeLessThanOrEqual(perTryMs);
          nowMs += limitMs;
        }
        expect(nowMs).toBeLessThanOrEqual(totalMs);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it.each([
    [{ totalMs: 0 }, 'deadline.totalMs: expected a duration from 1 ms to 86400000 ms, got 0'],
    [{ minTryMs: -1 }, 'deadline.minTryMs: expected a duration from 0 ms to 60000 ms, got -1'],
    [{ totalM: 5 }, "deadline.totalM: expected no such option; did you mean 'totalMs'?"],
  ])('refuses %j', (options, message) => {
    expect(() => new DeadlinePolicy(options as object)).toThrow(message);
  });
});

describe('remainingMs', () => {
  it('is never negative and has no end without a deadline', () => {
    expect(remainingMs(10, 4)).toBe(6);
    expect(remainingMs(10, 10)).toBe(0);
    expect(remainingMs(10, 11)).toBe(0);
    expect(remainingMs(NO_DEADLINE, 1e15)).toBe(NO_DEADLINE);
  });
});
