import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decay } from './decay.ts';
import { Ewma, ewmaStep, peakEwmaStep } from './ewma.ts';

describe('decay', () => {
  it('is exp(-x) with the stated relative error', () => {
    const close = fc.property(fc.double({ min: 0, max: 19.999_999, noNaN: true }), (x) => {
      expect(Math.abs(decay(x) / Math.exp(-x) - 1)).toBeLessThanOrEqual(8.1e-8);
    });
    fc.assert(close, {
      seed: 1,
      numRuns: 5_000,
      examples: [[1 / 128], [3 / 128], [1e-12], [19.999]],
    });
  });

  it('never grows with time, but for its error', () => {
    let before = 1;
    for (let step = 1; step <= 20_000; step++) {
      const now = decay(step / 1_000);
      expect(now).toBeLessThanOrEqual(before);
      before = now;
    }
  });

  it.each([
    [0, 1],
    [-5, 1],
    [NaN, 1],
    [20, 0],
    [1e300, 0],
    [Infinity, 0],
  ])('of %d is %d', (x, expected) => {
    expect(decay(x)).toBe(expected);
  });
});

describe('steps', () => {
  it('keep the given part of the mean', () => {
    expect(ewmaStep(100, 200, 0.75)).toBe(125);
    expect(ewmaStep(100, 200, 1)).toBe(100);
    expect(ewmaStep(100, 200, 0)).toBe(200);
  });

  it('jump up to a peak and go down slowly', () => {
    expect(peakEwmaStep(100, 200, 0.75)).toBe(200);
    expect(peakEwmaStep(100, 0, 0.75)).toBe(75);
  });

  it('stay between the mean and the sample', () => {
    const finite = fc.double({ min: 0, max: 1e6, noNaN: true });
    const between = fc.property(
      finite,
      finite,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (mean, sample, keep) => {
        const slack = 1e-9 * (mean + sample);
        for (const step of [ewmaStep, peakEwmaStep]) {
          expect(step(mean, sample, keep)).toBeGreaterThanOrEqual(Math.min(mean, sample) - slack);
          expect(step(mean, sample, keep)).toBeLessThanOrEqual(Math.max(mean, sample) + slack);
        }
        expect(peakEwmaStep(mean, sample, keep)).toBeGreaterThanOrEqual(
          ewmaStep(mean, sample, keep) - slack,
        );
      },
    );
    fc.assert(between, { seed: 2, numRuns: 500 });
  });
});

describe('Ewma', () => {
  it('starts at the first sample', () => {
    const mean = new Ewma({ tauMs: 1_000 });
    expect(mean.mean).toBeUndefined();
    expect(mean.observe(20, 123_456)).toBe(20);
    expect(mean.mean).toBe(20);
  });

  it('forgets by time, not by number of samples', () => {
    const mean = new Ewma({ tauMs: 10_000 });
    mean.observe(20, 0);
    expect(mean.observe(40, 10_000)).toBeCloseTo(40 - 20 / Math.E, 5);
    const often = new Ewma({ tauMs: 10_000 });
    often.observe(20, 0);
    for (let ms = 100; ms <= 10_000; ms += 100) often.observe(40, ms);
    expect(often.mean).toBeCloseTo(40 - 20 / Math.E, 4);
  });

  it('starts from a given value at a given time', () => {
    const mean = new Ewma({ tauMs: 1_000, initial: 30, nowMs: 500_000 });
    expect(mean.mean).toBe(30);
    expect(mean.observe(10, 501_000)).toBeCloseTo(10 + 20 / Math.E, 5);
  });

  it('ignores time that runs backwards', () => {
    const mean = new Ewma({ tauMs: 1_000 });
    mean.observe(20, 5_000);
    expect(mean.observe(100, 4_000)).toBe(20);
    expect(mean.observe(100, 6_000)).toBeCloseTo(100 - 80 / Math.E, 4);
  });

  it('fears peaks when told to', () => {
    const mean = new Ewma({ tauMs: 1_000, peak: true });
    mean.observe(20, 0);
    expect(mean.observe(500, 1)).toBe(500);
    expect(mean.observe(0, 1_001)).toBeCloseTo(500 / Math.E, 3);
  });

  it.each([
    [{ tauMs: 0 }, 'tauMs must be above 0'],
    [{ tauMs: NaN }, 'tauMs must be a finite number, got NaN'],
    [{ tauMs: 1, initial: Infinity }, 'initial must be a finite number, got Infinity'],
  ])('refuses %j', (options, message) => {
    expect(() => new Ewma(options)).toThrow(message);
  });
});
