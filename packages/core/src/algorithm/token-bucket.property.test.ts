import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

describe('TokenBucket', () => {
  it('lets a burst through, then the rate', () => {
    const bucket = new TokenBucket({ capacity: 3, refillPerSecond: 10 });
    expect([0, 0, 0, 0].map((nowMs) => bucket.tryTake(nowMs))).toEqual([true, true, true, false]);
    expect(bucket.waitMs(0)).toBe(100);
    expect(bucket.tryTake(99)).toBe(false);
    expect(bucket.tryTake(100)).toBe(true);
    expect(bucket.available(10_000)).toBe(3);
  });

  it('takes all or nothing', () => {
    const bucket = new TokenBucket({ capacity: 5, refillPerSecond: 1, initial: 2, nowMs: 1_000 });
    expect(bucket.tryTake(1_000, 3)).toBe(false);
    expect(bucket.available(1_000)).toBe(2);
    expect(bucket.tryTake(1_000, 2)).toBe(true);
    expect(bucket.waitMs(1_000, 5)).toBe(5_000);
    expect(bucket.waitMs(1_000, 6)).toBe(Infinity);
    expect(bucket.waitMs(99_000, 5)).toBe(0);
  });

  it('takes credit up to its capacity', () => {
    const bucket = new TokenBucket({ capacity: 10, refillPerSecond: 0, initial: 0 });
    bucket.put(0, 0.1);
    expect(bucket.available(0)).toBe(0.1);
    bucket.put(0, 100);
    expect(bucket.available(0)).toBe(10);
    bucket.tryTake(0, 10);
    expect(bucket.waitMs(5_000)).toBe(Infinity);
  });

  it('gains nothing from a clock that runs backwards', () => {
    const bucket = new TokenBucket({ capacity: 1, refillPerSecond: 1, nowMs: 5_000 });
    bucket.tryTake(5_000);
    expect(bucket.available(1_000)).toBe(0);
    expect(bucket.available(5_500)).toBe(0.5);
  });

  it('never gives out more than its capacity and what flowed in', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 500 }), fc.integer({ min: 1, max: 5 })), {
      maxLength: 200,
    });
    const limited = fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.nat({ max: 50 }),
      steps,
      (capacity, rate, taken) => {
        const bucket = new TokenBucket({ capacity, refillPerSecond: rate });
        let nowMs = 0;
        let given = 0;
        for (const [elapsedMs, count] of taken) {
          nowMs += elapsedMs;
          const waitMs = bucket.waitMs(nowMs, count);
          if (bucket.tryTake(nowMs, count)) {
            expect(waitMs).toBe(0);
            given += count;
          } else {
            expect(waitMs).toBeGreaterThan(0);
          }
          expect(given).toBeLessThanOrEqual(capacity + (rate * nowMs) / 1_000 + 1e-6);
          expect(bucket.available(nowMs)).toBeLessThanOrEqual(capacity);
        }
      },
    );
    fc.assert(limited, { seed: 1, numRuns: 200 });
  });

  it.each([
    [{ capacity: 0, refillPerSecond: 1 }, 'capacity must be above 0'],
    [{ capacity: 1, refillPerSecond: -1 }, 'refillPerSecond must be at least 0'],
    [{ capacity: 1, refillPerSecond: 1, initial: 2 }, 'initial must be between 0 and 1, got 2'],
  ])('refuses %j', (options, message) => {
    expect(() => new TokenBucket(options)).toThrow(RangeError);
    expect(() => new TokenBucket(options)).toThrow(message);
  });
});
