import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingWindow } from './sliding-window.ts';

describe('SlidingWindow', () => {
  it('counts what lies within the window', () => {
    const window = new SlidingWindow({ windowMs: 1_000, buckets: 10 });
    window.record(true, 0);
    window.record(false, 50);
    window.record(true, 150, 3);
    expect(window.successes(150)).toBe(4);
    expect(window.failures(150)).toBe(1);
    expect(window.total(999)).toBe(5);
    expect(window.total(1_000)).toBe(3); // the first bucket, 0 to 99, has left
    expect(window.successRatio(1_000)).toBe(1);
    expect(window.total(1_100)).toBe(0);
  });

  it('is what a list of all events says', () => {
    const events = fc.array(fc.tuple(fc.nat({ max: 700 }), fc.boolean()), { maxLength: 150 });
    const same = fc.property(events, fc.integer({ min: 1, max: 12 }), (steps, buckets) => {
      const bucketMs = 100;
      const window = new SlidingWindow({ windowMs: bucketMs * buckets, buckets });
      const log: { epoch: number; success: boolean }[] = [];
      let nowMs = 0;
      for (const [elapsedMs, success] of steps) {
        nowMs += elapsedMs;
        const epoch = Math.floor(nowMs / bucketMs);
        window.record(success, nowMs);
        log.push({ epoch, success });
        const inside = log.filter((event) => event.epoch > epoch - buckets);
        const successes = inside.filter((event) => event.success).length;
        expect(window.successes(nowMs)).toBe(successes);
        expect(window.failures(nowMs)).toBe(inside.length - successes);
        expect(window.successRatio(nowMs)).toBe(successes / inside.length);
      }
    });
    fc.assert(same, { seed: 1, numRuns: 200 });
  });

  it('takes no news for good news', () => {
    const window = new SlidingWindow({ windowMs: 1_000 });
    expect(window.successRatio(0)).toBe(1);
    window.record(false, 0);
    expect(window.successRatio(0)).toBe(0);
    window.reset();
    expect(window.successRatio(0)).toBe(1);
  });

  it('counts the past into the present', () => {
    const window = new SlidingWindow({ windowMs: 1_000 });
    window.record(true, 5_000);
    window.record(true, 4_000);
    expect(window.total(5_000)).toBe(2);
    expect(window.total(5_900)).toBe(2);
  });

  it('works on a clock with negative times, and over long silence', () => {
    const window = new SlidingWindow({ windowMs: 1_000 });
    window.record(true, -2_350);
    expect(window.total(-1_500)).toBe(1);
    expect(window.total(-1_300)).toBe(0);
    window.record(true, 1e15);
    expect(window.total(1e15)).toBe(1);
  });

  it.each([
    [{ windowMs: 0 }, 'windowMs must be above 0'],
    [{ windowMs: 1_000, buckets: 0 }, 'buckets must be between 1 and 1000, got 0'],
    [{ windowMs: 1_000, buckets: 2.5 }, 'buckets must be an integer between 1 and 1000, got 2.5'],
  ])('refuses %j', (options, message) => {
    expect(() => new SlidingWindow(options)).toThrow(RangeError);
    expect(() => new SlidingWindow(options)).toThrow(message);
  });
});
