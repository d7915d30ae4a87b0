import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { ConcurrencyOptions } from './config.ts';
import { ConcurrencyLimiter } from './limiter.ts';

function createLimiter(options: ConcurrencyOptions = {}): ConcurrencyLimiter {
  return new ConcurrencyLimiter(options, { random: new XorShift128(1) });
}

/** One window of ten requests, `inFlight` at a time. */
function runWindow(
  limiter: ConcurrencyLimiter,
  outcome: Outcome,
  startMs: number,
  rttMs = 10,
): number {
  let admitted = 0;
  while (admitted < limiter.limit && limiter.tryAcquire()) admitted++;
  for (let request = 0; request < admitted; request++) {
    const nowMs = startMs + ((request + 1) * 200) / admitted;
    limiter.release(outcome, rttMs, nowMs);
  }
  return startMs + 200;
}

describe('ConcurrencyLimiter', () => {
  it('admits as many as the limit says, and one more for each that ends', () => {
    const limiter = createLimiter({ initialLimit: 3, minLimit: 1 });
    expect([1, 2, 3, 4].map(() => limiter.tryAcquire())).toEqual([true, true, true, false]);
    limiter.release(Outcome.success, 5, 0);
    expect([limiter.tryAcquire(), limiter.tryAcquire()]).toEqual([true, false]);
    expect([limiter.inFlight, limiter.rejectedCount]).toEqual([3, 2]);
  });

  it('learns from windows, not from single requests', () => {
    const limiter = createLimiter({ algorithm: 'aimd', initialLimit: 10 });
    for (let request = 0; request < 10; request++) limiter.tryAcquire();
    for (let request = 0; request < 9; request++) limiter.release(Outcome.success, 10, 0);
    // Long enough, but only nine: not before the tenth.
    expect(limiter.limit).toBe(10);
    limiter.release(Outcome.success, 10, 100);
    expect(limiter.limit).toBe(11);
  });

  it.each<[string, Outcome, number]>([
    ['success', Outcome.success, 11],
    ['overloaded', Outcome.overloaded, 9],
    ['timeout', Outcome.timeout, 9],
    // A fast failure is no proof of speed, and a caller that left none of anything.
    ['serverError', Outcome.serverError, 10],
    ['connectFailure', Outcome.connectFailure, 10],
    ['reset', Outcome.reset, 10],
    ['cancelled', Outcome.cancelled, 10],
  ])('a window of %s moves a limit of 10', (_name, outcome, limit) => {
    const limiter = createLimiter({ algorithm: 'aimd', initialLimit: 10 });
    runWindow(limiter, outcome, 0, 0.5);
    expect(limiter.limit).toBe(limit);
  });

  it('does not take one timeout in two hundred requests for "too much"', () => {
    const limiter = createLimiter({ algorithm: 'aimd', initialLimit: 200, minWindowSamples: 200 });
    for (let request = 0; request < 200; request++) limiter.tryAcquire();
    limiter.release(Outcome.timeout, 1_000, 0);
    for (let request = 1; request < 200; request++) limiter.release(Outcome.success, 10, 100);
    expect(limiter.limit).toBe(201);
  });

  it('after a fall of the limit admits nothing until enough have ended', () => {
    const limiter = createLimiter({ algorithm: 'aimd', initialLimit: 20, minWindowSamples: 10 });
    for (let request = 0; request < 20; request++) limiter.tryAcquire();
    for (let request = 0; request < 10; request++)
      limiter.release(Outcome.overloaded, 0, request * 20);
    expect([limiter.limit, limiter.inFlight]).toEqual([18, 10]);
    const held = createLimiter({ algorithm: 'aimd', initialLimit: 20, windowMs: 0, minLimit: 5 });
    for (let request = 0; request < 20; request++) held.tryAcquire();
    for (let request = 0; request < 5; request++) held.release(Outcome.overloaded, 0, request);
    // 20 * 0.9^5 = 11.8, and 15 are still in flight.
    expect([held.limit, held.inFlight]).toEqual([11, 15]);
    expect(held.tryAcquire()).toBe(false);
  });

  it('never has more in flight than it admitted, and never less than none', () => {
    const step = fc.record({
      acquires: fc.nat({ max: 8 }),
      releases: fc.nat({ max: 8 }),
      outcome: fc.constantFrom(...Object.values(Outcome)),
      rttMs: fc.integer({ min: 0, max: 500 }),
      elapsedMs: fc.integer({ min: 0, max: 200 }),
    });
    const algorithm = fc.constantFrom('gradient2' as const, 'vegas' as const, 'aimd' as const);
    fc.assert(
      fc.property(algorithm, fc.array(step, { maxLength: 100 }), (name, steps) => {
        const limiter = createLimiter({
          algorithm: name,
          minLimit: 2,
          maxLimit: 30,
          probeIntervalMs: 1_000,
        });
        let inFlight = 0;
        let nowMs = 0;
        for (const { acquires, releases, outcome, rttMs, elapsedMs } of steps) {
          nowMs += elapsedMs;
          for (let count = 0; count < acquires; count++) {
            const before = inFlight;
            if (limiter.tryAcquire()) inFlight++;
            // Whoever is refused finds the limit reached, or half of it while a queue is being measured.
            else expect(before).toBeGreaterThanOrEqual(limiter.probing ? 1 : limiter.limit);
            if (inFlight > before) expect(inFlight).toBeLessThanOrEqual(limiter.limit);
          }
          for (let count = 0; count < releases && inFlight > 0; count++) {
            limiter.release(outcome, rttMs, nowMs);
            inFlight--;
          }
          expect(limiter.inFlight).toBe(inFlight);
          expect(limiter.limit).toBeGreaterThanOrEqual(2);
          expect(limiter.limit).toBeLessThanOrEqual(30);
        }
        limiter.release(Outcome.success, 1, nowMs);
        expect(limiter.inFlight).toBe(Math.max(0, inFlight - 1));
      }),
      { seed: 71, numRuns: 300 },
    );
  });

  it.each([
    [
      { algorithm: 'bbr' },
      'concurrency.algorithm: expected one of gradient2, vegas, aimd, got "bbr"',
    ],
    [
      { minLimit: 50, maxLimit: 20 },
      'concurrency.minLimit: expected a limit of at most maxLimit, got 50',
    ],
    [{ vegas: { alpha: 9 } }, 'concurrency.vegas.alpha: expected a number of at most beta, got 9'],
    [{ windowMs: -1 }, 'concurrency.windowMs: expected a duration from 0 ms to 60000 ms, got -1'],
  ])('refuses %j', (options, message) => {
    expect(() => createLimiter(options as ConcurrencyOptions)).toThrow(message);
  });
});
