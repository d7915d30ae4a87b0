import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedRateLimiter } from './keyed-rate-limiter.ts';
import { rateLimitHeaders, retryAfterSeconds } from './rate-limit-headers.ts';
import { RateLimiter, type RateLimitOptions } from './rate-limiter.ts';

describe('RateLimiter', () => {
  it('lets a burst through, then the rate', () => {
    const limiter = new RateLimiter({ requestsPerSecond: 10, burst: 3 });
    expect([0, 0, 0, 0].map((nowMs) => limiter.tryAcquire(nowMs))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(limiter.waitMs(0)).toBe(100);
    expect(limiter.remaining(0)).toBe(0);
    expect([limiter.tryAcquire(99), limiter.tryAcquire(100)]).toEqual([false, true]);
    expect(limiter.rejectedCount).toBe(2);
  });

  it('has a burst of one second by default, and at least one request', () => {
    expect(new RateLimiter({ requestsPerSecond: 2.5 }).config.burst).toBe(3);
    expect(new RateLimiter({ requestsPerSecond: 0.01 }).config.burst).toBe(1);
  });

  it('weighs requests by their cost, and takes nothing when it refuses', () => {
    const limiter = new RateLimiter({ requestsPerSecond: 1, burst: 5 });
    expect(limiter.tryAcquire(0, 4)).toBe(true);
    expect(limiter.tryAcquire(0, 2)).toBe(false);
    expect(limiter.remaining(0)).toBe(1);
    expect(limiter.waitMs(0, 6)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    [
      { requestsPerSecond: 0 },
      'rateLimit.requestsPerSecond: expected a number from 0.0001 to 100000000, got 0',
    ],
    [{}, 'rateLimit.requestsPerSecond: expected a number from 0.0001 to 100000000, got nothing'],
    [
      { requestsPerSecond: 1, burst: 0 },
      'rateLimit.burst: expected an integer from 1 to 100000000, got 0',
    ],
  ])('refuses %j', (options, message) => {
    expect(() => new RateLimiter(options as RateLimitOptions)).toThrow(message);
    expect(() => new KeyedRateLimiter(options as RateLimitOptions)).toThrow(message);
  });
});

describe('KeyedRateLimiter', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    elapsedMs: fc.integer({ min: 0, max: 400 }),
    cost: fc.integer({ min: 1, max: 4 }),
  });

  it('does for each key what a limiter of its own would do', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 150 }),
        (requestsPerSecond, burst, steps) => {
          const keyed = new KeyedRateLimiter({ requestsPerSecond, burst });
          const own = new Map<string, RateLimiter>();
          let nowMs = 0;
          for (const { key, elapsedMs, cost } of steps) {
            nowMs += elapsedMs;
            let limiter = own.get(key);
            if (limiter === undefined)
              own.set(key, (limiter = new RateLimiter({ requestsPerSecond, burst })));
            const waitMs = limiter.waitMs(nowMs, cost);
            // At the edge both are right to a rounding error.
            if (waitMs > 0 && waitMs < 1e-3) return;
            expect(keyed.waitMs(key, nowMs, cost)).toBeCloseTo(waitMs, 3);
            expect(keyed.tryAcquire(key, nowMs, cost)).toBe(limiter.tryAcquire(nowMs, cost));
          }
        },
      ),
      { seed: 91, numRuns: 500 },
    );
  });

  it('keeps no more keys than it may, whoever invents them, and those in use longest', () => {
    const limiter = new KeyedRateLimiter({ requestsPerSecond: 0.001, burst: 1 }, 100);
    expect(limiter.tryAcquire('mine', 0)).toBe(true);
    for (let index = 0; index < 49; index++) limiter.tryAcquire(`k${index}`, 0);
    expect(limiter.tryAcquire('mine', 1)).toBe(false);
    for (let index = 49; index < 10_000; index++) {
      limiter.tryAcquire(`k${index}`, 1);
      expect(limiter.size).toBeLessThanOrEqual(100);
    }
    // Forgotten with the flood: the price of bounded memory, and why a limit for all belongs in front.
    expect(limiter.tryAcquire('mine', 2)).toBe(true);
  });

  it('keeps a key that is in use through a change of generations', () => {
    const limiter = new KeyedRateLimiter({ requestsPerSecond: 1, burst: 2 }, 10);
    let admitted = 0;
    for (let index = 0; index < 100; index++) {
      if (limiter.tryAcquire('mine', index)) admitted++;
      limiter.tryAcquire(`k${index}`, index);
      // A refused request does not move the key, so it is used again before two generations have passed.
      if (index % 2 === 0) limiter.tryAcquire('mine', index);
    }
    expect(admitted).toBeGreaterThanOrEqual(2);
    expect(limiter.remaining('unknown', 100)).toBe(2);
  });

  it('refuses a number of keys that makes no sense', () => {
    expect(() => new KeyedRateLimiter({ requestsPerSecond: 1 }, 1)).toThrow(
      'rateLimit.maxKeys: expected an integer from 2 to 16000000, got 1',
    );
  });
});

describe('rateLimitHeaders', () => {
  const config = { requestsPerSecond: 10, burst: 25 };

  it('tells quota, window, what is left and when all is back', () => {
    expect(rateLimitHeaders('default', { config, remaining: 7 })).toEqual({
      'ratelimit-policy': '"default";q=25;w=3',
      ratelimit: '"default";r=7;t=2',
    });
    expect(rateLimitHeaders('a b', { config, remaining: 25 }).ratelimit).toBe('"a b";r=25;t=0');
  });

  it('tells when to come back after a refusal', () => {
    expect(rateLimitHeaders('x', { config, remaining: 0, waitMs: 1_001 })['retry-after']).toBe('2');
    expect(
      rateLimitHeaders('x', { config, remaining: 0, waitMs: Number.POSITIVE_INFINITY }),
    ).not.toHaveProperty('retry-after');
  });

  it.each(['', '"', 'a\\b', 'ä', 'a\nb', 'x'.repeat(65)])('refuses the name %j', (name) => {
    expect(() => rateLimitHeaders(name, { config, remaining: 1 })).toThrow('rateLimit.name');
  });

  it.each([
    [0, '1'],
    [1, '1'],
    [1_000, '1'],
    [1_001, '2'],
  ])('a wait of %d ms is %s s', (waitMs, text) => {
    expect(retryAfterSeconds(waitMs)).toBe(text);
  });
});
