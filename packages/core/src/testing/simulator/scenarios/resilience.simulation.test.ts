/** What clients do about trouble besides choosing well. The rules are the real ones. */
import { describe, expect, it } from 'vitest';
import { createCircuitBreakers } from '../../../resilience/circuit-breaker/create-circuit-breakers.ts';
import type { SimulationResult } from '../result.ts';
import { simulate } from '../simulate.ts';
import { outage } from './change.ts';
import { resilienceScenarios, type ResilienceScenarioName } from './resilience.ts';
import { errorPercentIn, goodPerSecondIn, partOf } from './test-support/traffic.ts';

const play = (name: ResilienceScenarioName): SimulationResult => {
  const result = simulate(resilienceScenarios[name]);
  expect(result.leakedCount).toBe(0);
  return result;
};

describe('retries', () => {
  it('make at most a quarter more of a total outage', () => {
    const { attemptCount, requestCount } = simulate({
      ...outage,
      warmUpMs: 2_000,
      durationMs: 6_000,
      faults: [{ kind: 'fail-fast' }],
    });
    // 20 % and 10 per second and client, of 700 requests per second and client.
    expect(attemptCount / requestCount).toBeGreaterThan(1.15);
    expect(attemptCount / requestCount).toBeLessThanOrEqual(1.25);
  });

  it('after a time limit for each try turn a server that hangs into some slow requests', () => {
    const result = play('per-try-timeout');
    expect(result.errorPercent).toBeLessThan(0.01);
    // One of 50 is tried in vain for 150 ms.
    expect(result.attemptCount / result.requestCount).toBeCloseTo(1.02, 2);
    expect(result.p99Ms).toBeGreaterThan(150);
    expect(result.maxMs).toBeLessThan(400);
  });
});

describe('hedges', () => {
  it('cut the tail by more than half, for the load that the percentile says', () => {
    const hedged = play('hedging');
    const { hedge: _, ...without } = resilienceScenarios.hedging;
    const plain = simulate(without);
    expect(hedged.p999Ms).toBeLessThan(plain.p999Ms / 2);
    expect(hedged.p99Ms).toBeLessThan(plain.p99Ms);
    // 5 %, and a bucket of the histogram to either side; the delay follows a load that changes.
    const extra = hedged.hedgeCount / hedged.requestCount;
    expect(extra).toBeGreaterThan(0.03);
    expect(extra).toBeLessThan(0.1);
  });
});

describe('an overload of 150 percent', () => {
  const DURING = [4_000, 10_000] as const;
  const AFTER = [11_500, 14_000] as const;
  const { cluster: _, ...unlimited } = resilienceScenarios.thresholds;
  const bare = simulate(unlimited);

  it.each(['thresholds', 'gradient2', 'vegas', 'aimd', 'rate-limit'] as const)(
    '%s: what is let in is served soon, and nearly as much as there is capacity for',
    (name) => {
      const result = play(name);
      expect(result.p99Ms).toBeLessThan(150);
      expect(bare.p99Ms).toBeGreaterThan(900);
      expect(goodPerSecondIn(result, DURING)).toBeGreaterThan(result.capacityPerSecond * 0.9);
      // A third is too much: 50 of 150.
      expect(errorPercentIn(result, DURING)).toBeLessThan(45);
      expect(errorPercentIn(result, AFTER)).toBeLessThan(1);
    },
  );

  it('load shedding: who is refused is of low criticality', () => {
    const result = play('load-shedding');
    expect(result.refusals['load-shedding']).toBeGreaterThan(10_000);
    expect(result.lowRefusalCount / result.refusals['load-shedding']).toBeGreaterThan(0.99);
    // 40 % of 150 % are not low, and fit.
    expect(goodPerSecondIn(result, DURING)).toBeGreaterThan(result.capacityPerSecond * 0.55);
    expect(result.p99Ms).toBeLessThan(150);
  });
});

describe('client throttling', () => {
  it('keeps most of a flood of 400 percent away from servers that refuse it', () => {
    const throttled = play('client-throttle');
    const { cluster: _, ...scenario } = resilienceScenarios['client-throttle'];
    const plain = simulate(scenario, { cluster: { outlierDetection: false } });
    // With K = 2 twice as much is sent as accepted; without it four times as much.
    const sentPerGood = ({ attemptCount, requestCount, failedCount }: SimulationResult): number =>
      attemptCount / (requestCount - failedCount);
    expect(sentPerGood(throttled)).toBeLessThan(2.1);
    // On average over the run, a quarter of which has no flood.
    expect(sentPerGood(plain)).toBeGreaterThan(2.5);
    expect(throttled.refusals['client-throttle']).toBeGreaterThan(40_000);
    // The flood ends at 10 s, and is forgotten two windows later.
    expect(errorPercentIn(throttled, [14_500, 17_000])).toBeLessThan(1);
  });
});

describe('circuit breakers', () => {
  it('of servers: send one trial a second to who fails, and all of its share when it is well', () => {
    const result = simulate(resilienceScenarios['circuit-breaker'], { createCircuitBreakers });
    expect(result.leakedCount).toBe(0);
    const fair = 1 / 20;
    const bad = (from: number, until: number): number =>
      partOf(result, [from, until], ({ index }) => index === 0) / fair;
    expect(bad(0, 2_000)).toBeCloseTo(1, 1);
    expect(bad(3_000, 10_000)).toBeLessThan(0.05);
    expect(bad(12_000, 14_000)).toBeCloseTo(1, 1);
    // Until more than half of the calls of a second have failed, and a trial in each of the 8 s.
    const clients = 5;
    const perSecond = (result.requestCount * fair) / clients / 14;
    const failedCount = result.servers[0]?.failedCount ?? 0;
    expect(failedCount / clients).toBeGreaterThan(perSecond / 2);
    expect(failedCount / clients).toBeLessThan(perSecond / 2 + 8 + 3);
  });

  it('of a cluster: keep an outage of all servers from being asked about by every request', () => {
    const cluster = {
      outlierDetection: false,
      admission: { circuitBreaker: { cluster: { windowMs: 1_000, openMs: 1_000 } } },
    } as const;
    const result = simulate(
      { ...outage, retry: undefined, clients: 5 },
      { cluster, createCircuitBreakers },
    );
    expect(result.leakedCount).toBe(0);
    // From 7 to 12 s nothing succeeds: half a window opens the circuits, and all others are refused.
    const refused = result.refusals['circuit-open'];
    expect(result.attemptCount + refused).toBe(result.requestCount);
    expect(refused / result.failedCount).toBeGreaterThan(0.85);
    const { stepMs, errorPercent } = result.timeline;
    // Open for a second at most after the outage.
    expect(Math.max(...errorPercent.slice(Math.ceil(13_500 / stepMs)))).toBe(0);
  });
});

describe('servers that tell their load', () => {
  it('get requests by what they can do: ORCA, and Prequal more so', () => {
    const orca = play('load-reports');
    const probed = play('probes');
    const plain = simulate(resilienceScenarios['load-reports'], { policy: 'round-robin' });
    expect(orca.errorPercent).toBeLessThan(plain.errorPercent / 2);
    expect(probed.errorPercent).toBe(0);
    expect(probed.p99Ms).toBeLessThan(orca.p99Ms / 5);
    // 10 servers of half the speed: a fifth of the servers, and a tenth of the capacity.
    for (const { servers } of [orca, probed]) {
      const slow = servers.filter(({ speed }) => speed === 0.5);
      const mean = slow.reduce((sum, { shareToFair }) => sum + shareToFair, 0) / slow.length;
      expect(mean).toBeLessThan(0.75);
    }
  });
});

describe('affinity, when 2 of 20 servers are lost and come back', () => {
  it.each([
    // A tenth of the keys moves and moves back, of some 24 requests of each: 0.1 * 2 / 24 = 0.8 %.
    { name: 'affinity-ring', kept: 98 },
    { name: 'affinity-maglev', kept: 98 },
    // A cookie that has moved stays where it is: half of that.
    { name: 'affinity-cookie', kept: 99 },
  ] as const)('$name keeps $kept percent of the requests where they were', ({ name, kept }) => {
    const result = play(name);
    expect(result.affinityPercent).toBeGreaterThan(kept);
    expect(result.errorPercent).toBeLessThan(0.05);
    expect(partOf(result, [6_500, 9_000], ({ index }) => index < 2)).toBeLessThan(0.01);
  });

  it('without affinity nothing is kept but by chance', () => {
    const { cluster: _, ...scenario } = resilienceScenarios['affinity-ring'];
    expect(simulate(scenario, { policy: 'peak-ewma' }).affinityPercent).toBeLessThan(12);
  });
});
