import { describe, expect, it } from 'vitest';
import { createLoadReport } from '../../load-report/load-report.ts';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';

const START = 1_000_000;

function orcaWeighted(
  count: number,
  options: Readonly<Record<string, unknown>> = {},
): StandalonePolicy {
  return createPolicy(
    { name: 'orca-weighted', blackoutMs: 0, ...options },
    {
      endpoints: Array.from({ length: count }, (_, index) => `h${index}:1`),
      random: new XorShift128(5),
    },
  );
}

/** Each slot reports that it could serve so many requests per second: it serves half of that, half busy. */
function tell(policy: StandalonePolicy, capacities: readonly number[], nowMs: number): void {
  capacities.forEach((capacity, slot) => {
    if (capacity === 0) return;
    const parts = { requestsPerSecond: capacity / 2, cpuUtilization: 0.5 };
    policy.report(slot, createLoadReport(parts), nowMs);
  });
}

function counts(policy: StandalonePolicy, picks: number, nowMs: number): number[] {
  const result: number[] = [];
  for (let pick = 0; pick < picks; pick++) {
    const slot = policy.pick({}, nowMs);
    result[slot] = (result[slot] ?? 0) + 1;
  }
  return Array.from(result, (count) => count ?? 0);
}

/** Earliest deadline first stays within 4 picks of its shares. */
const EDF_DEVIATION = 4;

function expectShares(actual: readonly number[], shares: readonly number[]): void {
  const picks = actual.reduce((sum, count) => sum + count, 0);
  const total = shares.reduce((sum, share) => sum + share, 0);
  shares.forEach((share, slot) =>
    expect(Math.abs((actual[slot] ?? 0) - (picks * share) / total)).toBeLessThanOrEqual(
      EDF_DEVIATION,
    ),
  );
}

describe('orca-weighted', () => {
  it('gives turns in proportion to what endpoints report', () => {
    const policy = orcaWeighted(3);
    tell(policy, [100, 200, 500], START);
    expectShares(counts(policy, 800, START), [1, 2, 5]);
  });

  it('is round robin without reports, and with those of one endpoint', () => {
    const policy = orcaWeighted(3);
    expectShares(counts(policy, 300, START), [1, 1, 1]);
    tell(policy, [500], START);
    expectShares(counts(policy, 300, START + 1_000), [1, 1, 1]);
    expect(policy.explain({}, START).map(({ reason }) => reason)).toEqual([
      'weight 1 from discovery: reports 0.50 busy, the only one that does',
      'weight 1 from discovery: no load report yet',
      'weight 1 from discovery: no load report yet',
    ]);
  });

  it('keeps the weights of discovery until reports decide', () => {
    const policy = createPolicy('orca-weighted', {
      endpoints: [
        { address: 'a:1', weight: 1 },
        { address: 'b:1', weight: 3 },
      ],
      random: new XorShift128(5),
    });
    expectShares(counts(policy, 400, START), [1, 3]);
  });

  it('gives the mean to those that do not report', () => {
    const policy = orcaWeighted(4);
    tell(policy, [100, 0, 300, 0], START);
    expectShares(counts(policy, 800, START), [1, 2, 3, 2]);
  });

  it('heeds reports after the blackout, and no more after the expiry', () => {
    const policy = orcaWeighted(2, { blackoutMs: 10_000, expiryMs: 60_000 });
    tell(policy, [100, 300], START);
    expectShares(counts(policy, 400, START + 9_000), [1, 1]);
    expect(policy.explain({}, START + 9_000)[0]?.reason).toContain('its reports count in 1.0 s');
    expectShares(counts(policy, 400, START + 10_000), [1, 3]);
    expectShares(counts(policy, 400, START + 59_999), [1, 3]);
    expectShares(counts(policy, 400, START + 60_999), [1, 1]);
    expect(policy.explain({}, START + 61_000)[0]?.reason).toContain(
      'its last load report is too old',
    );
  });

  it('works its weights out anew once per period', () => {
    const policy = orcaWeighted(2, { updateMs: 5_000 });
    tell(policy, [100, 100], START);
    expectShares(counts(policy, 200, START), [1, 1]);
    tell(policy, [100, 300], START + 1);
    expectShares(counts(policy, 200, START + 4_999), [1, 1]);
    expectShares(counts(policy, 400, START + 5_000), [1, 3]);
  });

  it('does not lose the order of turns when weights change', () => {
    const policy = orcaWeighted(10, { updateMs: 100 });
    let nowMs = START;
    let picks: number[] = [];
    // Weights that move a little all the time, as measured ones do.
    for (let round = 0; round < 50; round++, nowMs += 100) {
      tell(
        policy,
        Array.from({ length: 10 }, (_, slot) => 100 + ((slot * 7 + round) % 3)),
        nowMs,
      );
      const now = counts(policy, 20, nowMs);
      picks = Array.from({ length: 10 }, (_, slot) => (picks[slot] ?? 0) + (now[slot] ?? 0));
    }
    // 100 each; if every update dealt the turns out anew, 20 random picks of 10 would be off by ±10 and more.
    expect(Math.max(...picks) - Math.min(...picks)).toBeLessThanOrEqual(2 * EDF_DEVIATION);
  });

  it('keeps weights of endpoints that stay when others come and go', () => {
    const policy = orcaWeighted(3);
    tell(policy, [100, 200, 400], START);
    counts(policy, 10, START);
    policy.update(['h1:1', 'h2:1', 'h3:1']);
    expect(policy.slotOf('h3:1')).toBe(0);
    // The newcomer has the slot of the one that left, and the mean of 200 and 400.
    expectShares(counts(policy, 900, START), [3, 2, 4]);
  });

  it('passes over excluded endpoints and keeps the proportion of the others', () => {
    const policy = orcaWeighted(3);
    tell(policy, [100, 300, 800], START);
    const picks = [0, 0, 0];
    for (let pick = 0; pick < 4_000; pick++) {
      const slot = policy.pick({ exclude: [2] }, START);
      picks[slot] = (picks[slot] ?? 0) + 1;
    }
    expect(picks[2]).toBe(0);
    // Some are drawn at random: 5 standard deviations of 1/4 of 4,000.
    expect(Math.abs((picks[0] ?? 0) - 1_000)).toBeLessThan(140);
  });

  it('says why: what an endpoint bears, how busy it is, and where a bound cuts', () => {
    const policy = orcaWeighted(4);
    tell(policy, [100, 200, 0, 1e9], START);
    expect(policy.explain({}, START)).toMatchObject([
      { slot: 3, reason: 'bears 1000000000/s, counts as 2000/s: reports 0.50 busy' },
      { slot: 2, reason: '767/s, the mean of the others: no load report yet' },
      { slot: 1, reason: 'bears 200/s: reports 0.50 busy' },
      { slot: 0, reason: 'bears 100/s: reports 0.50 busy' },
    ]);
    const sum = policy
      .explain({}, START)
      .reduce((total, { shareRatio = 0 }) => total + shareRatio, 0);
    expect(sum).toBeCloseTo(1, 9);
  });

  it('counts reports, and endpoints with a weight and without', () => {
    const policy = orcaWeighted(4);
    expect(policy.stats()).toEqual({
      usedReportCount: 0,
      unusedReportCount: 0,
      weightedEndpoints: 0,
      unweightedEndpoints: 0,
    });
    tell(policy, [100, 200, 300], START);
    policy.report(3, createLoadReport({ memoryUtilization: 0.5 }), START);
    policy.pick({}, START);
    expect(policy.stats()).toEqual({
      usedReportCount: 3,
      unusedReportCount: 1,
      weightedEndpoints: 3,
      unweightedEndpoints: 1,
    });
  });

  it.for([
    [{ blackoutMs: -1 }, 'policy.blackoutMs'],
    [{ expiryMs: 999 }, 'policy.expiryMs'],
    [{ updateMs: 99 }, 'policy.updateMs'],
    [{ errorPenalty: -0.1 }, 'policy.errorPenalty'],
    [{ errorPenalty: Number.NaN }, 'policy.errorPenalty'],
  ] as const)('refuses %j', ([options, path]) => {
    expect(() => orcaWeighted(1, options)).toThrow(path);
  });
});

describe('orca-weighted with servers that measure themselves', () => {
  /**
   * Requests take `workMs / speed` of one core, utilisation is what that adds up to in a second. Reports go out with
   * every second's last answer.
   */
  function play(
    speeds: readonly number[],
    seconds: number,
    errorRatios: readonly number[] = [],
  ): number[] {
    const policy = orcaWeighted(speeds.length);
    const workMs = 1;
    let last: number[] = [];
    for (let second = 0; second < seconds; second++) {
      const nowMs = START + second * 1_000;
      last = counts(policy, 1_000, nowMs);
      last.forEach((requests, slot) => {
        policy.start(slot, nowMs);
        policy.report(
          slot,
          createLoadReport({
            requestsPerSecond: requests,
            errorsPerSecond: requests * (errorRatios[slot] ?? 0),
            cpuUtilization: (requests * workMs) / (speeds[slot] ?? 1) / 1_000,
          }),
          nowMs + 999,
        );
        policy.finish(slot, Outcome.success, workMs, nowMs + 999);
      });
    }
    return last;
  }

  it('finds the capacities from the second report on, and stays there', () => {
    for (const seconds of [2, 3, 10, 60]) expectShares(play([1, 2, 4, 1], seconds), [1, 2, 4, 1]);
  });

  it('moves away from one that fails, the further the more of its requests fail', () => {
    const healthy = play([1, 1, 1, 1], 60)[0] ?? 0;
    const flaky = play([1, 1, 1, 1], 60, [0.2])[0] ?? 0;
    const failing = play([1, 1, 1, 1], 60, [1])[0] ?? 0;
    expect(flaky).toBeLessThan(healthy * 0.8);
    expect(failing).toBeLessThan(flaky * 0.5);
    // A hundredth of the others' 333: enough to see it recover.
    expect(failing).toBeGreaterThan(0);
    expect(failing).toBeLessThanOrEqual(3.33 + EDF_DEVIATION);
  });
});
