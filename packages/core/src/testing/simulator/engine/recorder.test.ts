import { describe, expect, it } from 'vitest';
import { Outcome } from '../../../model/outcome.ts';
import { Recorder } from './recorder.ts';

describe('Recorder', () => {
  it('measures requests by when they arrived, not by when they ended', () => {
    const recorder = new Recorder({ fromMs: 100, untilMs: 200 }, 1);
    recorder.ended(Outcome.success, 99, 150);
    recorder.ended(Outcome.success, 100, 101);
    recorder.ended(Outcome.success, 199, 999);
    recorder.ended(Outcome.success, 200, 201);
    expect(recorder.read()).toMatchObject({ requestCount: 2, p50Ms: 1, maxMs: 800 });
  });

  it('takes quantiles by nearest rank', () => {
    const recorder = new Recorder({ fromMs: 0, untilMs: 1_000 }, 1);
    for (let latency = 1_000; latency >= 1; latency--) recorder.ended(Outcome.success, 0, latency);
    expect(recorder.read()).toMatchObject({
      p50Ms: 500,
      p90Ms: 900,
      p99Ms: 990,
      p999Ms: 999,
      maxMs: 1_000,
      meanMs: 500.5,
    });
  });

  it('stops the curve where fewer than ten requests are left', () => {
    const recorder = new Recorder({ fromMs: 0, untilMs: 1_000 }, 1);
    for (let latency = 1; latency <= 1_000; latency++) recorder.ended(Outcome.success, 0, latency);
    const { quantiles } = recorder.read();
    expect(quantiles[0]).toEqual({ ratio: 0.5, latencyMs: 500 });
    const last = quantiles.at(-1)!;
    expect(last.ratio).toBeLessThanOrEqual(0.99);
    expect(last.ratio).toBeGreaterThan(0.985);
  });

  it('counts failures of requests and of attempts apart', () => {
    const recorder = new Recorder({ fromMs: 0, untilMs: 1_000 }, 2);
    recorder.sent(0, 0, 0);
    recorder.failed(0, 0);
    recorder.sent(1, 0, 5);
    recorder.ended(Outcome.success, 0, 10);
    recorder.sent(1, 1, 1);
    recorder.failed(1, 1);
    recorder.ended(Outcome.timeout, 1, 500);
    recorder.unsent(2);
    const { requestCount, attemptCount, failedCount, errorPercent, outcomes, unsentCount } =
      recorder.read();
    expect({ requestCount, attemptCount, failedCount, unsentCount }).toEqual({
      requestCount: 3,
      attemptCount: 3,
      failedCount: 2,
      unsentCount: 1,
    });
    expect(errorPercent).toBeCloseTo(66.7, 1);
    expect(outcomes).toMatchObject({ success: 1, timeout: 1 });
    expect([...recorder.failures]).toEqual([1, 1]);
  });
});

describe('the timeline', () => {
  it('has steps of a round length over the whole run', () => {
    const { stepMs, offeredPerSecond } = new Recorder(
      { fromMs: 4_000, untilMs: 19_000 },
      1,
    ).timeline.read();
    expect(stepMs).toBe(200);
    expect(offeredPerSecond).toHaveLength(95);
  });

  it('puts arrivals, ends and attempts where they happened', () => {
    const { timeline } = new Recorder({ fromMs: 0, untilMs: 1_200 }, 2);
    for (let timeMs = 0; timeMs < 1_200; timeMs += 1) {
      timeline.arrived(timeMs);
      timeline.sent(timeMs < 600 ? 0 : 1, timeMs);
      timeline.ended(timeMs, timeMs < 600 ? 10 : 40, timeMs >= 600 && timeMs % 4 === 0);
    }
    // Ends after the run are not in its steps.
    timeline.ended(5_000, 1, true);
    const read = timeline.read();
    const { stepMs } = read;
    expect(stepMs).toBe(10);
    expect(read.offeredPerSecond[3]).toBe(1_000);
    expect(read.goodPerSecond[3]).toBe(1_000);
    expect(read.attempts[0]?.[3]).toBe(10);
    expect(read.attempts[1]?.[3]).toBe(0);
    expect(read.attempts[1]?.[70]).toBe(10);
    expect(read.errorPercent[3]).toBe(0);
    expect(read.errorPercent[70]).toBeGreaterThanOrEqual(20);
    expect(read.p50Ms[3]! / 10).toBeCloseTo(1, 1);
    expect(read.p99Ms[70]! / 40).toBeCloseTo(1, 1);
  });

  it('knows of nothing where nothing ended', () => {
    const { timeline } = new Recorder({ fromMs: 0, untilMs: 1_000 }, 1);
    expect(timeline.read().p99Ms[0]).toBeNaN();
    expect(timeline.read().errorPercent[0]).toBe(0);
  });
});
