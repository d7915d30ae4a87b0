import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Server } from './server.ts';

function server(traits: { cores?: number; speed?: number } = {}): Server {
  return new Server({
    index: 0,
    id: 'a:1',
    group: 0,
    zone: '',
    weight: 1,
    cores: 1,
    speed: 1,
    ...traits,
  });
}

/** Lets everything finish. @returns request and time of each end */
function finishAll(subject: Server): [number, number][] {
  const ends: [number, number][] = [];
  while (subject.runningCount > 0 && Number.isFinite(subject.nextFinishMs)) {
    const nowMs = subject.nextFinishMs;
    ends.push([subject.finishNext(nowMs), nowMs]);
  }
  return ends;
}

describe('processor sharing', () => {
  it('gives one request the whole speed', () => {
    const subject = server({ speed: 0.5 });
    subject.start(7, 10, 100);
    expect(finishAll(subject)).toEqual([[7, 120]]);
  });

  it('shares one core equally', () => {
    const subject = server();
    // Alone for 4 ms: 6 left. Then at half speed: the second has done its 3 after 6 ms, at 10; the first has 3 left.
    subject.start(1, 10, 0);
    subject.start(2, 3, 4);
    expect(finishAll(subject)).toEqual([
      [2, 10],
      [1, 13],
    ]);
  });

  it('shares nothing while there is a core for each', () => {
    const subject = server({ cores: 4 });
    for (let request = 0; request < 4; request++) subject.start(request, 10 + request, 0);
    expect(finishAll(subject)).toEqual([
      [0, 10],
      [1, 11],
      [2, 12],
      [3, 13],
    ]);
  });

  it('gives 8 requests on 4 cores half a core each', () => {
    const subject = server({ cores: 4 });
    for (let request = 0; request < 8; request++) subject.start(request, 10, 0);
    expect(finishAll(subject).map(([, timeMs]) => timeMs)).toEqual(new Array<number>(8).fill(20));
  });

  it('goes on faster when a request is withdrawn', () => {
    const subject = server();
    subject.start(1, 10, 0);
    const job = subject.start(2, 10, 0);
    subject.cancel(job, 10);
    // 5 done at half speed, the rest alone.
    expect(finishAll(subject)).toEqual([[1, 15]]);
  });

  it('leaves antagonists the cores they take', () => {
    const subject = server({ cores: 4 });
    subject.start(1, 10, 0);
    subject.start(2, 10, 0);
    subject.take(3, 5);
    // 5 done; then one core for two: 10 ms more.
    expect(finishAll(subject).map(([, timeMs]) => timeMs)).toEqual([15, 15]);
  });

  it('slows down, hangs, and goes on where it was', () => {
    const subject = server();
    subject.start(1, 10, 0);
    subject.hamper(4, false, 2);
    expect(subject.nextFinishMs).toBe(2 + 8 * 4);
    subject.hamper(1, true, 6);
    expect(subject.nextFinishMs).toBe(Number.POSITIVE_INFINITY);
    expect(subject.presentSpeed).toBe(0);
    subject.hamper(1, false, 100);
    // 2 done at full speed and 1 at a quarter: 7 are left.
    expect(finishAll(subject)).toEqual([[1, 107]]);
  });

  it('loses everything when it dies', () => {
    const subject = server();
    subject.start(1, 10, 0);
    subject.start(2, 5, 0);
    expect(subject.dropAll(3).sort()).toEqual([1, 2]);
    expect([subject.runningCount, subject.nextFinishMs]).toEqual([0, Number.POSITIVE_INFINITY]);
    subject.start(3, 5, 10);
    expect(finishAll(subject)).toEqual([[3, 15]]);
  });

  it('does all work there is, no more and no less, in any order of arrivals', () => {
    const arrival = fc.record({
      gapMs: fc.integer({ min: 0, max: 30 }),
      work: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 1, maxLength: 60 }), (arrivals) => {
        const subject = server();
        let nowMs = 0;
        let idleMs = 0;
        let endMs = 0;
        arrivals.forEach(({ gapMs, work }, request) => {
          nowMs += gapMs;
          while (subject.nextFinishMs <= nowMs) {
            endMs = subject.nextFinishMs;
            subject.finishNext(endMs);
          }
          if (subject.runningCount === 0) idleMs += nowMs - endMs;
          subject.start(request, work, nowMs);
        });
        const lastMs = finishAll(subject).at(-1)?.[1] ?? 0;
        const total = arrivals.reduce((sum, { work }) => sum + work, 0);
        // One core at speed 1 is busy for as long as the work takes.
        expect(lastMs - idleMs).toBeCloseTo(total, 6);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});

describe('the meter of a server', () => {
  it('tells mean requests and utilization since the last reset', () => {
    const subject = server({ cores: 2 });
    subject.start(1, 1_000, 0);
    subject.settle(400);
    subject.meter.reset(400);
    subject.start(2, 50, 400);
    subject.finishNext(450);
    subject.settle(500);
    // 50 ms with two and 50 ms with one request, on two cores.
    expect(subject.meter.meanRunningCount()).toBeCloseTo(1.5, 9);
    expect(subject.meter.meanUtilization(2)).toBeCloseTo(0.75, 9);
  });

  it('reads utilization of about the last second, antagonists included', () => {
    const subject = server({ cores: 4 });
    subject.start(1, 1e6, 0);
    subject.settle(5_000);
    expect(subject.meter.read(4).cpuUtilization).toBeCloseTo(0.25, 9);
    subject.take(2, 5_000);
    subject.settle(5_500);
    // 0.25 and half a window of 0.5 more; the window is 900..1000 ms long.
    expect(subject.meter.read(4).cpuUtilization).toBeCloseTo(0.25 + 0.5 * (500 / 900), 2);
    subject.settle(9_000);
    expect(subject.meter.read(4).cpuUtilization).toBeCloseTo(0.75, 9);
  });

  it('reads rates of answers and errors', () => {
    const subject = server();
    for (let timeMs = 10; timeMs <= 3_000; timeMs += 10) {
      subject.settle(timeMs);
      subject.meter.count(timeMs % 40 === 0);
    }
    const { queriesPerSecond, errorsPerSecond } = subject.meter.read(1);
    expect(queriesPerSecond).toBeGreaterThan(95);
    expect(queriesPerSecond).toBeLessThan(106);
    expect(errorsPerSecond / queriesPerSecond).toBeCloseTo(0.25, 1);
    subject.settle(10_000);
    expect(subject.meter.read(1).queriesPerSecond).toBe(0);
  });
});
