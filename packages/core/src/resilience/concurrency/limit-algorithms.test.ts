import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../../runtime/random.ts';
import { AimdLimit } from './aimd.ts';
import { BaseRtt } from './base-rtt.ts';
import { type Gradient2Config, Gradient2Limit } from './gradient2.ts';
import { type VegasConfig, VegasLimit } from './vegas.ts';

const BOUNDS = { initialLimit: 20, minLimit: 5, maxLimit: 100 };

describe('Gradient2Limit', () => {
  const CONFIG: Gradient2Config = {
    ...BOUNDS,
    rttTolerance: 1.5,
    queueSize: 4,
    smoothing: 0.2,
    longWindow: 600,
  };

  it('grows by smoothing * queueSize while nothing queues', () => {
    const gradient = new Gradient2Limit(CONFIG);
    gradient.sample(10, 20, false);
    expect(gradient.limit).toBeCloseTo(20 + 0.2 * 4, 9);
    expect(gradient.longRttMs).toBe(10);
  });

  it('takes the gradient, at least a half, of a slower answer', () => {
    const gradient = new Gradient2Limit(CONFIG);
    gradient.rebase(10);
    // At the limit, so that the base does not learn from it: 1.5 * 10 / 20 = 0.75.
    gradient.sample(20, 20, false);
    expect(gradient.limit).toBeCloseTo(0.8 * 20 + 0.2 * (20 * 0.75 + 4), 9);
    const stalled = new Gradient2Limit(CONFIG);
    stalled.rebase(10);
    stalled.sample(1_000, 20, false);
    expect(stalled.limit).toBeCloseTo(0.8 * 20 + 0.2 * (20 * 0.5 + 4), 9);
  });

  it('leaves the limit alone when less than half of it is in use', () => {
    const gradient = new Gradient2Limit(CONFIG);
    gradient.sample(10, 9, false);
    expect(gradient.limit).toBe(20);
    gradient.sample(10, 10, false);
    expect(gradient.limit).toBeGreaterThan(20);
  });

  it('takes a drop for the lowest gradient, however little is in use', () => {
    const gradient = new Gradient2Limit(CONFIG);
    gradient.sample(0, 1, true);
    expect(gradient.limit).toBeCloseTo(0.8 * 20 + 0.2 * (20 * 0.5 + 4), 9);
  });

  it('forgets a slow past faster when answers take less than half of it', () => {
    const gradient = new Gradient2Limit(CONFIG);
    gradient.rebase(100);
    gradient.sample(10, 5, false);
    const learnt = 100 + (10 - 100) * (2 / 601);
    expect(gradient.longRttMs).toBeCloseTo(learnt * 0.9, 9);
  });

  it('stays within its bounds', () => {
    const gradient = new Gradient2Limit(CONFIG);
    for (let step = 0; step < 500; step++) gradient.sample(10, 1_000, false);
    expect(gradient.limit).toBe(100);
    for (let step = 0; step < 500; step++) gradient.sample(10, 1_000, true);
    expect(gradient.limit).toBeGreaterThanOrEqual(5);
    // It rests where half of it and the queue make it up: L = L / 2 + 4.
    expect(gradient.limit).toBeCloseTo(8, 3);
  });
});

describe('VegasLimit', () => {
  const CONFIG: VegasConfig = {
    ...BOUNDS,
    alpha: 3,
    beta: 6,
    baseline: 'shortest',
    probeMultiplier: 0,
  };
  const LOG = Math.log10(20);

  function after(rttMs: number, inFlight = 20, dropped = false): number {
    const vegas = new VegasLimit(CONFIG, new XorShift128(1));
    vegas.rebase(10);
    vegas.sample(rttMs, inFlight, dropped);
    return vegas.limit;
  }

  it.each([
    // [round trip, queue = ceil(20 * (1 - 10 / rtt)), change in units of log10(20) = 1.3]
    ['nothing queues', 10, 6],
    ['queue of 1, up to log10', 10.5, 6],
    ['queue of 2, below 3 log10 = 3.9', 11, 1],
    ['queue of 5, between 3.9 and 7.8', 13, 0],
    ['queue of 8, above 7.8', 16, -1],
  ])('%s', (_name, rttMs, steps) => {
    expect(after(rttMs)).toBeCloseTo(20 + steps * LOG, 9);
  });

  it('shrinks after a drop, however little is in use, and rests when less than half is', () => {
    expect(after(0, 1, true)).toBeCloseTo(20 - LOG, 9);
    expect(after(10, 9)).toBe(20);
  });

  it('takes the shortest sample for the time without a queue, or the mean, as told', () => {
    const shortest = new VegasLimit(CONFIG, new XorShift128(1));
    const mean = new VegasLimit({ ...CONFIG, baseline: 'mean' }, new XorShift128(1));
    for (const rttMs of [12, 8, 16]) {
      shortest.sample(rttMs, 1, false);
      mean.sample(rttMs, 1, false);
    }
    expect(shortest.baseRttMs).toBe(8);
    expect(mean.baseRttMs).toBe(12);
  });

  it('takes the base anew after a jittered half to whole of probeMultiplier * limit samples', () => {
    const bounds = { ...BOUNDS, initialLimit: 10 };
    const vegas = new VegasLimit({ ...CONFIG, ...bounds, probeMultiplier: 2 }, new XorShift128(1));
    vegas.sample(5, 1, false);
    let samples = 0;
    while (vegas.baseRttMs === 5) {
      vegas.sample(50, 1, false);
      samples++;
    }
    expect(samples).toBeGreaterThanOrEqual(10);
    expect(samples).toBeLessThanOrEqual(20);
  });
});

describe('AimdLimit', () => {
  const CONFIG = { ...BOUNDS, backoffRatio: 0.9, timeoutMs: 1_000 };

  it.each([
    ['one more when at least half is in use', 10, 10, false, 21],
    ['no change when less is', 10, 9, false, 20],
    ['a tenth less after a drop', 0, 20, true, 18],
    ['a tenth less after an answer that is too late', 1_001, 20, false, 18],
  ])('%s', (_name, rttMs, inFlight, dropped, limit) => {
    const aimd = new AimdLimit(CONFIG);
    aimd.sample(rttMs, inFlight, dropped);
    expect(aimd.limit).toBeCloseTo(limit, 9);
  });

  it('goes down by at least one, and stays within its bounds', () => {
    const aimd = new AimdLimit({ ...CONFIG, initialLimit: 8 });
    aimd.sample(0, 8, true);
    expect(aimd.limit).toBe(7);
    for (let step = 0; step < 50; step++) aimd.sample(0, 8, true);
    expect(aimd.limit).toBe(5);
    for (let step = 0; step < 500; step++) aimd.sample(1, 500, false);
    expect(aimd.limit).toBe(100);
  });
});

describe('BaseRtt', () => {
  it('is the mean of the first ten samples, then a slow average', () => {
    const base = new BaseRtt(99);
    for (let sample = 1; sample <= 10; sample++) base.learn(sample, true);
    expect(base.ms).toBeCloseTo(5.5, 9);
    base.learn(105.5, false);
    // 2 / (99 + 1) of the way.
    expect(base.ms).toBeCloseTo(5.5 + 0.02 * 100, 9);
  });

  it('does not go up by what was measured at the limit, but goes down', () => {
    const base = new BaseRtt(99);
    base.rebase(10);
    base.learn(50, true);
    expect(base.ms).toBe(10);
    base.learn(5, true);
    expect(base.ms).toBeCloseTo(9.9, 9);
  });
});
