/**
 * Outlier detection under virtual time with random failures: silent among equals, quick with the odd one out. The
 * random numbers are seeded, so each run is the same; the bounds are derived beside each expectation.
 */
import { describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { XorShift128 } from '../../runtime/random.ts';
import type { OutlierDetectionOptions } from './config.ts';
import { setUpDetector } from './test-support/detector-harness.ts';

interface Play {
  readonly endpoints: number;
  /** Requests per second to each endpoint in rotation. */
  readonly perSecond: number;
  readonly seconds: number;
  readonly options?: OutlierDetectionOptions;
  readonly seed?: number;
  /** Does this request fail? `unit` is uniform in 0..1, `nth` counts the requests of the slot. */
  readonly fails: (request: { slot: number; second: number; unit: number; nth: number }) => boolean;
}

interface Played {
  readonly ejections: readonly { slot: number; detector: string; atMs: number }[];
  readonly requestCount: number;
  readonly failureCount: number;
}

/** Sends requests evenly to the endpoints in rotation, and single trials to those that wait for one. */
function play({ endpoints, perSecond, seconds, options = {}, seed = 1, fails }: Play): Played {
  const bench = setUpDetector({ members: endpoints, ...options });
  const random = new XorShift128(seed);
  const nths = new Array<number>(endpoints).fill(0);
  const out = new Set<number>();
  const ejections: { slot: number; detector: string; atMs: number }[] = [];
  let requestCount = 0;
  let failureCount = 0;
  const send = (slot: number, second: number): void => {
    const nth = (nths[slot] as number)++;
    const failed = fails({ slot, second, unit: (random.nextInt32() >>> 0) / 2 ** 32, nth });
    requestCount++;
    if (failed) failureCount++;
    bench.detector.record(
      slot,
      failed ? Outcome.serverError : Outcome.success,
      bench.runtime.clock.nowMs(),
    );
    for (const { event, slot: which, detail, atMs } of bench.events.splice(0)) {
      if (event === 'return') out.delete(which);
      if (event !== 'eject') continue;
      out.add(which);
      ejections.push({ slot: which, detector: detail.split(' ')[0] ?? '', atMs });
    }
  };
  for (let second = 0; second < seconds; second++) {
    for (let round = 0; round < perSecond; round++) {
      const trial = bench.takeTrial();
      if (trial !== NO_SLOT) send(trial, second);
      for (let slot = 0; slot < endpoints; slot++) if (!out.has(slot)) send(slot, second);
    }
    bench.advance(1_000);
  }
  bench.detector.close();
  return { ejections, requestCount, failureCount };
}

const HOUR_S = 3_600;
/** Runs of failures are noise enough at high ratios; here only comparisons are asked. */
const ONLY_SUCCESS_RATE: OutlierDetectionOptions = {
  consecutive: { failures: 0, connectFailures: 0, localOriginFailures: 0 },
  successRate: {},
};
const PLAIN_A50: OutlierDetectionOptions = {
  ...ONLY_SUCCESS_RATE,
  successRate: { minimumDifferencePercent: 0, falseAlarmRatio: 1 },
};

describe('equal endpoints for an hour', () => {
  // At most one false alarm in 1e9 judgements is allowed, and there are endpoints x 360 of them: below 2e-5 expected.
  it.each([
    { endpoints: 5, perSecond: 10, ratio: 0.01 },
    { endpoints: 10, perSecond: 20, ratio: 0.01 },
    { endpoints: 50, perSecond: 10, ratio: 0.01 },
    { endpoints: 20, perSecond: 10, ratio: 0.001 },
    { endpoints: 20, perSecond: 10, ratio: 0.05 },
    { endpoints: 20, perSecond: 10, ratio: 0.3 },
    { endpoints: 20, perSecond: 10, ratio: 0.9 },
  ])(
    '$endpoints with $perSecond requests/s and $ratio failing: nobody is ejected',
    ({ endpoints, perSecond, ratio }) => {
      const { ejections, failureCount, requestCount } = play({
        endpoints,
        perSecond,
        seconds: HOUR_S,
        options: ONLY_SUCCESS_RATE,
        fails: ({ unit }) => unit < ratio,
      });
      expect(ejections).toEqual([]);
      expect(Math.abs(failureCount / requestCount - ratio)).toBeLessThan(0.01);
    },
  );

  it('all detectors with their defaults are silent at 1 % too', () => {
    // Five in a row by chance: 0.01^5 per request, times 720,000 requests: 7e-5 expected.
    const { ejections } = play({
      endpoints: 10,
      perSecond: 20,
      seconds: HOUR_S,
      options: { successRate: {}, failurePercentage: {} },
      fails: ({ unit }) => unit < 0.01,
    });
    expect(ejections).toEqual([]);
  });

  it('the plain rule of A50 would eject all the time', () => {
    const { ejections } = play({
      endpoints: 10,
      perSecond: 20,
      seconds: HOUR_S,
      options: PLAIN_A50,
      fails: ({ unit }) => unit < 0.01,
    });
    // One in 35 is below mean - 1.9 deviations of a normal distribution: 3,600 judgements would give about 100.
    expect(ejections.length).toBeGreaterThan(50);
  });

  it('natural differences of a few percent cost nobody', () => {
    const { ejections } = play({
      endpoints: 20,
      perSecond: 20,
      seconds: HOUR_S,
      options: ONLY_SUCCESS_RATE,
      fails: ({ unit, slot }) => unit < 0.01 + 0.002 * slot,
    });
    expect(ejections).toEqual([]);
  });

  it('a fault that all share for minutes ejects nobody', () => {
    const { ejections } = play({
      endpoints: 20,
      perSecond: 20,
      seconds: 600,
      options: ONLY_SUCCESS_RATE,
      fails: ({ unit, second }) => unit < (second > 120 && second < 400 ? 0.4 : 0.01),
    });
    expect(ejections).toEqual([]);
  });
});

describe('the odd one out', () => {
  it.each([1, 2, 3, 4, 5])('failing 20 %% is ejected within two intervals (seed %i)', (seed) => {
    const { ejections } = play({
      endpoints: 10,
      perSecond: 20,
      seconds: 60,
      seed,
      options: ONLY_SUCCESS_RATE,
      fails: ({ slot, unit }) => unit < (slot === 3 ? 0.2 : 0.01),
    });
    expect(ejections[0]).toMatchObject({ slot: 3, detector: 'success-rate' });
    expect(ejections[0]?.atMs).toBeLessThanOrEqual(20_000);
    expect(new Set(ejections.map(({ slot }) => slot))).toEqual(new Set([3]));
  });

  it('failing every second request, never two in a row, is caught and stays out longer each time', () => {
    const common = {
      endpoints: 10,
      perSecond: 20,
      seconds: 600,
      fails: ({ slot, nth, unit }: { slot: number; nth: number; unit: number }) =>
        slot === 3 ? nth % 2 === 0 : unit < 0.001,
    };
    const without = play(common);
    expect(without.ejections).toEqual([]);
    const { ejections, failureCount, requestCount } = play({
      ...common,
      options: { successRate: {} },
    });
    expect(ejections[0]).toEqual({ slot: 3, detector: 'success-rate', atMs: 10_000 });
    expect(new Set(ejections.map(({ slot }) => slot))).toEqual(new Set([3]));
    // Fair share would be 5 %: half of a tenth. In rotation it is for about one interval per ejection of 10, 20, 30 ... s.
    expect(without.failureCount / without.requestCount).toBeGreaterThan(0.045);
    expect(failureCount / requestCount).toBeLessThan(0.015);
  });

  it('failing half of its requests by chance is caught by a run of failures even earlier', () => {
    const { ejections } = play({
      endpoints: 10,
      perSecond: 20,
      seconds: 60,
      options: { successRate: {} },
      fails: ({ slot, unit }) => unit < (slot === 3 ? 0.5 : 0.001),
    });
    // A run of 5 takes 2^6 - 2 = 62 requests on average.
    expect(ejections[0]).toMatchObject({ slot: 3, detector: 'consecutive-failures' });
    expect(ejections[0]?.atMs).toBeLessThan(10_000);
  });

  it.each([
    { name: 'in a cluster of four', endpoints: 4, perSecond: 100 },
    { name: 'with 90 requests in an interval', endpoints: 10, perSecond: 9 },
  ])('is not judged $name', ({ endpoints, perSecond }) => {
    const { ejections } = play({
      endpoints,
      perSecond,
      seconds: 600,
      options: ONLY_SUCCESS_RATE,
      fails: ({ slot, nth }) => slot === 3 && nth % 2 === 0,
    });
    expect(ejections).toEqual([]);
  });

  it('is one of many: two fifths of the endpoints are found by failure percentage only', () => {
    const common = {
      endpoints: 20,
      perSecond: 20,
      seconds: 60,
      // Their distance to the mean is sqrt(12 / 8) = 1.22 standard deviations.
      fails: ({ slot, nth }: { slot: number; nth: number }) => slot < 8 && nth % 20 !== 0,
    };
    expect(play({ ...common, options: ONLY_SUCCESS_RATE }).ejections).toEqual([]);
    const { ejections } = play({
      ...common,
      options: { ...ONLY_SUCCESS_RATE, failurePercentage: {} },
    });
    expect(new Set(ejections.map(({ slot }) => slot))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(ejections[0]).toMatchObject({ detector: 'failure-percentage', atMs: 10_000 });
  });
});
