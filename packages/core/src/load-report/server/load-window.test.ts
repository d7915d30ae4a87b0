import { describe, expect, it } from 'vitest';
import { ScriptedMeter } from '../test-support/scripted-meter.ts';
import { LoadWindow } from './load-window.ts';

describe('rates over a window', () => {
  it('are 0 at the start, when nothing can be said', () => {
    const window = new LoadWindow(new ScriptedMeter(), 1_000);
    window.sample(5_000, 7, 1);
    expect(window.figures.requestsPerSecond).toBe(0);
    window.sample(5_000.5, 9, 1);
    expect(window.figures.requestsPerSecond).toBe(0);
  });

  it('are differences to a sample that is a window ago', () => {
    const window = new LoadWindow(new ScriptedMeter(), 1_000);
    // 50 requests per second for 2 s, then 10 per second; every fifth fails.
    let requests = 0;
    for (let nowMs = 0; nowMs <= 2_000; nowMs += 100) {
      window.sample(nowMs, requests, requests / 5);
      requests += 5;
    }
    expect(window.figures).toMatchObject({ requestsPerSecond: 50, errorsPerSecond: 10 });
    requests -= 5;
    for (let nowMs = 2_100; nowMs <= 2_500; nowMs += 100)
      window.sample(nowMs, (requests += 1), requests / 5);
    // Half of the window at 50, half at 10.
    expect(window.figures.requestsPerSecond).toBeCloseTo(30, 9);
    for (let nowMs = 2_600; nowMs <= 3_000; nowMs += 100)
      window.sample(nowMs, (requests += 1), requests / 5);
    expect(window.figures.requestsPerSecond).toBeCloseTo(10, 9);
  });

  it('reach back over a pause', () => {
    const window = new LoadWindow(new ScriptedMeter(), 1_000);
    window.sample(0, 0, 0);
    window.sample(100, 10, 0);
    window.sample(10_100, 30, 0);
    // 20 requests since the last sample before the pause, which is the latest that is a window ago.
    expect(window.figures.requestsPerSecond).toBeCloseTo(2, 9);
  });

  it('are due ten times per window', () => {
    const window = new LoadWindow(new ScriptedMeter(), 1_000);
    expect(window.isDue(0)).toBe(true);
    window.sample(0, 0, 0);
    expect(window.isDue(99)).toBe(false);
    expect(window.isDue(100)).toBe(true);
  });

  it('have the shares of processors, event loop and memory beside them', () => {
    const meter = new ScriptedMeter(4);
    const window = new LoadWindow(meter, 1_000);
    window.sample(0, 0, 0);
    meter.set({ cpuMs: 1_200, loopActiveMs: 900, memoryBytes: 500 });
    window.sample(1_000, 0, 0);
    // 1,200 ms of processor time in 1,000 ms on 4 processors.
    expect(window.figures).toMatchObject({
      cpuUtilization: 0.3,
      loopUtilization: 0.9,
      memoryUtilization: 0.5,
    });
    meter.set({ loopActiveMs: 3_000 });
    window.sample(2_000, 0, 0);
    expect(window.figures.loopUtilization).toBe(1);
  });
});
