import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyQuantile } from './latency-quantile.ts';

const WIDTH = 2 ** (1 / 8);

describe('LatencyQuantile', () => {
  it('is within one bucket, 9 %, of the true quantile', () => {
    const latency = fc.double({ min: 0.06, max: 500_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (latencies, ratio) => {
          const quantile = new LatencyQuantile(1_000);
          for (const latencyMs of latencies) quantile.record(latencyMs);
          const sorted = Float64Array.from(latencies).sort();
          // The rank-th smallest: the least value that a part `ratio` does not exceed.
          const rank = Math.max(1, Math.ceil(ratio * sorted.length - 1e-9));
          const exact = sorted[rank - 1]!;
          const estimate = quantile.quantileMs(ratio)!;
          expect(estimate / exact).toBeLessThanOrEqual(WIDTH * 1.000_001);
          expect(estimate / exact).toBeGreaterThanOrEqual(1 / (WIDTH * 1.000_001));
        },
      ),
      { seed: 31, numRuns: 500 },
    );
  });

  it('never falls when the ratio grows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }),
        (latencies) => {
          const quantile = new LatencyQuantile(1_000);
          for (const latencyMs of latencies) quantile.record(latencyMs);
          let before = 0;
          for (let percent = 0; percent <= 100; percent += 5) {
            const now = quantile.quantileMs(percent / 100)!;
            expect(now).toBeGreaterThanOrEqual(before);
            before = now;
          }
        },
      ),
      { seed: 32, numRuns: 200 },
    );
  });

  it('knows nothing at first', () => {
    const quantile = new LatencyQuantile(1_000);
    expect(quantile.quantileMs(0.5)).toBeUndefined();
    expect(quantile.total).toBe(0);
  });

  it('takes what is out of range for the ends of the range', () => {
    const quantile = new LatencyQuantile(1_000);
    for (const latencyMs of [0, -5, 1e-9, 1e12]) quantile.record(latencyMs);
    expect(quantile.quantileMs(0.1)).toBeLessThan(0.06);
    // 25 doublings of 0.05 ms.
    expect(quantile.quantileMs(1)).toBeCloseTo(0.05 * 2 ** 25, 3);
  });

  it('forgets: what is one time constant old counts 1/e', () => {
    const quantile = new LatencyQuantile(10_000);
    quantile.age(0);
    for (let count = 0; count < 100; count++) quantile.record(10);
    quantile.age(10_000);
    expect(quantile.total).toBeCloseTo(100 / Math.E, 3);
    for (let count = 0; count < 63; count++) quantile.record(1_000);
    // 37 old and 63 new ones: the median is a new one.
    expect(quantile.quantileMs(0.5)).toBeGreaterThan(900);
    expect(quantile.quantileMs(0.3)).toBeLessThan(12);
    quantile.age(1_000_000);
    expect(quantile.total).toBe(0);
    expect(quantile.quantileMs(0.5)).toBeUndefined();
  });

  it('takes a clock that steps back for one that stands still', () => {
    const quantile = new LatencyQuantile(1_000);
    quantile.age(5_000);
    quantile.record(1);
    quantile.age(1_000);
    expect(quantile.total).toBe(1);
  });

  it('refuses a time constant of 0', () => {
    expect(() => new LatencyQuantile(0)).toThrow(
      'latencyQuantile.tauMs: expected a number above 0, got 0',
    );
  });
});
