import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../runtime/random.ts';
import { Backoff, type Jitter } from './backoff.ts';

const random = { nextInt32: () => -1 }; // the largest draw

describe('Backoff', () => {
  it('doubles up to the maximum without jitter', () => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1_000, jitter: 'none', random });
    expect(Array.from({ length: 6 }, () => backoff.nextMs())).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(backoff.attempts).toBe(6);
    backoff.reset();
    expect(backoff.attempts).toBe(0);
    expect(backoff.nextMs()).toBe(100);
  });

  it.each([
    ['full', 0, 100],
    ['equal', 50, 100],
    ['decorrelated', 100, 300],
    ['none', 100, 100],
  ] as const)('with %s jitter begins between %d and %d ms', (jitter, least, most) => {
    const smallest = new Backoff({ baseMs: 100, jitter, random: { nextInt32: () => 0 } });
    const largest = new Backoff({ baseMs: 100, jitter, random });
    expect(smallest.nextMs()).toBeCloseTo(least, 6);
    expect(largest.nextMs()).toBeCloseTo(most, 4);
  });

  it('stays within its bounds for ever, whatever the options', () => {
    const jitters = fc.constantFrom<Jitter>('full', 'equal', 'decorrelated', 'none');
    const options = fc.record({
      baseMs: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
      spread: fc.double({ min: 1, max: 1e4, noNaN: true }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: jitters,
      seed: fc.integer(),
    });
    const bounded = fc.property(options, ({ baseMs, spread, factor, jitter, seed }) => {
      const maxMs = Math.min(baseMs * spread, 2 ** 31 - 1);
      const backoff = new Backoff({ baseMs, maxMs, factor, jitter, random: new XorShift128(seed) });
      for (let attempt = 0; attempt < 1_200; attempt++) {
        const ceiling = Math.min(maxMs, baseMs * factor ** attempt);
        const least = {
          full: 0,
          equal: ceiling / 2,
          decorrelated: Math.min(baseMs, maxMs),
          none: ceiling,
        }[jitter];
        const waitMs = backoff.nextMs();
        expect(waitMs).toBeGreaterThanOrEqual(least);
        expect(waitMs).toBeLessThanOrEqual(jitter === 'decorrelated' ? maxMs : ceiling);
      }
    });
    fc.assert(bounded, { seed: 1, numRuns: 40 });
  });

  it('spreads full jitter evenly', () => {
    const waits = Array.from({ length: 20_000 }, (_, seed) => {
      return new Backoff({ baseMs: 100, random: new XorShift128(seed) }).nextMs();
    });
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    // Uniform on [0, 100): sigma 28.9, of the mean 0.2.
    expect(Math.abs(mean - 50)).toBeLessThan(1);
  });

  it.each([
    [{ baseMs: 0 }, 'baseMs must be above 0'],
    [{ baseMs: 500, maxMs: 400 }, 'maxMs must be between 500 and 2147483647, got 400'],
    [{ factor: 0.5 }, 'factor must be between 1 and 10, got 0.5'],
    [
      { jitter: 'some' as never },
      'jitter must be one of full, equal, decorrelated, none, got some',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => new Backoff({ random, ...options })).toThrow(RangeError);
    expect(() => new Backoff({ random, ...options })).toThrow(message);
  });
});
