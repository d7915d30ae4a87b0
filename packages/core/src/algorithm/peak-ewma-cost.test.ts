import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  expectedLatencyMs,
  failurePenaltyMs,
  meanPendingAgeMs,
  peakEwmaCost,
  recovered,
} from './peak-ewma-cost.ts';

describe('peakEwmaCost', () => {
  it.each([
    { latencyMs: 10, pending: 0, weight: 1, cost: 10 },
    { latencyMs: 10, pending: 4, weight: 1, cost: 50 },
    { latencyMs: 10, pending: 4, weight: 2, cost: 25 },
    { latencyMs: 10, pending: 0, weight: 0.1, cost: 100 }, // a slow start
  ])(
    '$latencyMs ms, $pending pending, weight $weight: $cost',
    ({ latencyMs, pending, weight, cost }) => {
      expect(peakEwmaCost(latencyMs, pending, weight)).toBeCloseTo(cost, 9);
    },
  );
});

describe('expectedLatencyMs', () => {
  it('is the average while requests in flight are younger', () => {
    expect(expectedLatencyMs(20, 5, 0)).toBe(20);
  });

  it('is the age of what waits once that is more: a hung endpoint loses before its timeouts return', () => {
    expect(expectedLatencyMs(20, 700, 0)).toBe(700);
  });

  it('adds the penalty', () => {
    expect(expectedLatencyMs(20, 5, 300)).toBe(320);
  });
});

describe('meanPendingAgeMs', () => {
  it('needs only the sum of the start times', () => {
    const starts = [100, 250, 400];
    const sum = starts.reduce((total, start) => total + start, 0);
    expect(meanPendingAgeMs(3, sum, 1_000)).toBe(750);
  });

  it('is 0 with nothing in flight or a clock behind the starts', () => {
    expect(meanPendingAgeMs(0, 0, 1_000)).toBe(0);
    expect(meanPendingAgeMs(1, 1_000, 999)).toBe(0);
  });
});

describe('the failure penalty', () => {
  it('grows with each failure and fades with time', () => {
    let ratio = 1;
    expect(failurePenaltyMs(ratio)).toBe(0);
    ratio = afterFailure(afterFailure(ratio));
    expect(ratio).toBeCloseTo(0.49, 9);
    expect(failurePenaltyMs(ratio)).toBeCloseTo(510, 6);
    expect(failurePenaltyMs(ratio, 2_000)).toBeCloseTo(1_020, 6);
    expect(recovered(ratio, 0.5)).toBeCloseTo(0.745, 9);
    expect(recovered(ratio, 0)).toBe(1);
    expect(recovered(ratio, 1)).toBeCloseTo(ratio, 9);
  });

  it('outweighs the best latency: failing at once attracts nobody', () => {
    const failing = peakEwmaCost(expectedLatencyMs(1, 0, failurePenaltyMs(afterFailure(1))), 0, 1);
    const busy = peakEwmaCost(expectedLatencyMs(50, 0, 0), 4, 1);
    expect(failing).toBeGreaterThan(busy);
  });
});
