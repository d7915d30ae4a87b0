/** Every part of topology, as a fleet of clients sees it. The numbers are of seed 1. */
import { describe, expect, it } from 'vitest';
import type { SimulatedClusterOptions } from '../simulate.ts';
import { simulate } from '../simulate.ts';
import { zoneLoss } from './change.ts';
import { errorPercentIn, goodPerSecondIn, partOf, recoveryMs } from './test-support/traffic.ts';
import { topologyScenarios } from './topology.ts';

describe('failover between priorities', () => {
  const result = simulate(topologyScenarios.failover);
  const reserve = (from: number, until: number): number =>
    partOf(result, [from, until], ({ group }) => group === 1);

  it('leaves the reserve alone while all is well', () => {
    expect(reserve(4_000, 8_000)).toBe(0);
  });

  it('moves everything there once checks have failed twice: within 2.5 s, at the cost of few requests', () => {
    // Until then retries have no budget for all: 20 % of the requests and 10 per second.
    expect(reserve(10_700, 14_000)).toBeGreaterThan(0.999);
    expect(errorPercentIn(result, [10_700, 14_000])).toBe(0);
    expect(result.errorPercent).toBeLessThan(1);
  });

  it('moves back when checks pass', () => {
    // 72 % healthy take all; the last 28 % need a check, at most 1.1 s, and ejections ended with it.
    expect(reserve(16_000, 24_000)).toBe(0);
    expect(result.leakedCount).toBe(0);
  });
});

describe('degraded servers', () => {
  it('get nothing while the others suffice, and their part again afterwards', () => {
    const result = simulate(topologyScenarios.degraded);
    const tired = (from: number, until: number): number =>
      partOf(result, [from, until], ({ index }) => index < 10);
    expect(tired(4_000, 6_000)).toBeCloseTo(0.2, 1);
    // 80 % healthy, times 1.4: all of the traffic.
    expect(tired(7_500, 12_000)).toBe(0);
    expect(tired(14_000, 20_000)).toBeGreaterThan(0.15);
    expect(result.errorPercent).toBe(0);
  });
});

describe('zones with weights', () => {
  it('get their parts, and less when half of one is gone', () => {
    const result = simulate(topologyScenarios['locality-weighted']);
    const zoneA = (from: number, until: number): number =>
      partOf(result, [from, until], ({ zone }) => zone === 'a');
    expect(zoneA(4_000, 8_000)).toBeCloseTo(2 / 4, 2);
    // Half healthy times 1.4: 2 * 0.7 of 1.4 + 1 + 1.
    expect(zoneA(11_000, 14_000)).toBeCloseTo(1.4 / 3.4, 1);
    expect(zoneA(18_000, 22_000)).toBeCloseTo(2 / 4, 2);
    expect(result.errorPercent).toBeLessThan(0.1);
  });
});

describe('zone-aware clients', () => {
  const inZone = (zone: string) => (server: { readonly zone: string }) => server.zone === zone;
  const result = simulate(topologyScenarios['zone-aware']);

  it('stay in their zone: equal zones need no crossing, which saves a round trip of 4 ms', () => {
    const plain = simulate(topologyScenarios['zone-aware'], {
      cluster: { topology: {}, health: { http: { intervalMs: 1_000 } } },
    });
    // Two thirds of the requests of the others cross: 2.3 ms on average, with the quicker zone-aware ones lost in queues.
    expect(plain.meanMs - result.meanMs).toBeGreaterThan(1);
    expect(errorPercentIn(result, [4_000, 8_000])).toBe(0);
  });

  it('leave a zone that is lost, and are back 2 s after it, as soon as checks say so', () => {
    expect(partOf(result, [11_000, 14_000], inZone('c'))).toBeLessThan(0.01);
    expect(result.errorPercent).toBeLessThan(0.1);
    expect(recoveryMs(result, 14_000, { belongs: inZone('c'), part: 0.3 })).toBeLessThanOrEqual(
      2_000,
    );
  });

  it('without checks the ejection has to end first', () => {
    for (const [policy, limitMs] of [
      ['peak-ewma', 7_000],
      ['least-request', 7_000],
    ] as const) {
      const unchecked = simulate({ ...zoneLoss, durationMs: 22_000 }, { policy });
      const recovery = recoveryMs(unchecked, 14_000, { belongs: inZone('c'), part: 0.3 });
      expect(recovery).toBeGreaterThan(2_000);
      expect(recovery).toBeLessThanOrEqual(limitMs);
    }
  });
});

describe('subsets', () => {
  it('serve those who ask for them, and take their part of the others', () => {
    const result = simulate(topologyScenarios.subsets);
    // A fifth asks for v2, whose 10 of 40 servers take part in the rest as well: peak EWMA gives them a little less.
    const v2 = partOf(result, [1_000, 7_000], ({ group }) => group === 1);
    expect(v2).toBeGreaterThan(0.2);
    expect(v2).toBeLessThan(0.2 + 0.8 * 0.25);
    expect(result.errorPercent).toBe(0);
  });
});

describe('a canary', () => {
  it('gets its 5 percent, and always the same keys', () => {
    const result = simulate(topologyScenarios.canary);
    // 5,000 keys: 5 % are 250, and five deviations are 77 of them.
    const canary = partOf(result, [1_000, 7_000], ({ group }) => group === 1);
    expect(Math.abs(canary - 0.05)).toBeLessThan(0.016);
    expect(result.affinityPercent).toBe(100);
  });
});

describe('an aperture', () => {
  it('loads 100 servers alike although every client uses 12 of them', () => {
    const result = simulate(topologyScenarios.aperture);
    const loads = result.servers.map(({ shareToFair }) => shareToFair);
    // 25 clients * 12 = 3 clients per server, exactly: what is left is that clients and picks are drawn.
    expect(Math.max(...loads)).toBeLessThan(1.3);
    expect(Math.min(...loads)).toBeGreaterThan(0.7);
    const whole = simulate(topologyScenarios.aperture, { cluster: {}, label: 'whole' });
    expect(result.p99Ms).toBeLessThan(whole.p99Ms * 1.2);
  });

  it('by rendezvous, which asks nobody how many there are, is as uneven as chance', () => {
    const result = simulate(topologyScenarios.aperture, {
      cluster: ({ client }) => ({
        topology: { aperture: { kind: 'rendezvous', size: 12, seed: `client-${client}` } },
      }),
    });
    // 25 clients choose a server with 12 %: 3 of them, with a deviation of 1.6; 0.88^25 = 4 % of the servers have none.
    const loads = result.servers.map(({ shareToFair }) => shareToFair);
    const unused = loads.filter((load) => load === 0).length;
    expect(unused).toBeLessThan(4 + 3 * 2);
    expect(Math.max(...loads) - Math.min(...loads)).toBeGreaterThan(1);
    expect(result.errorPercent).toBeLessThan(1);
    expect(result.leakedCount).toBe(0);
  });
});

describe('slow start spares servers that are cold after a restart', () => {
  const scenario = topologyScenarios['slow-start'];
  const off = { topology: {} };

  it('under least request, which knows nothing of speed', () => {
    const warm = simulate(scenario);
    expect(warm.p99Ms).toBeLessThan(simulate(scenario, { cluster: off }).p99Ms * 0.7);
    expect(warm.errorPercent).toBeLessThan(0.05);
  });

  it('under peak EWMA, which has to find out', () => {
    const policy = 'peak-ewma';
    const cold = simulate(scenario, { policy, cluster: off });
    expect(simulate(scenario, { policy }).p99Ms).toBeLessThan(cold.p99Ms * 0.8);
  });

  it('under round robin, by turns that are passed on', () => {
    const policy = 'round-robin';
    // Everybody gets the same, so that what is too much for a cold one fails by its deadline.
    const cold = simulate(scenario, { policy, cluster: off });
    expect(cold.errorPercent).toBeGreaterThan(5);
    expect(simulate(scenario, { policy }).errorPercent).toBeLessThan(0.5);
  });
});

describe('panic', () => {
  const play = (cluster: SimulatedClusterOptions): ReturnType<typeof simulate> =>
    simulate(topologyScenarios.panic, { cluster });
  const scenario = play({});

  it('begins for every client, and ends with the trouble', () => {
    expect(scenario.panicCount).toBeGreaterThanOrEqual(20);
    // A few leave it and enter it again.
    expect(scenario.panicCount).toBeLessThan(30);
    expect(errorPercentIn(scenario, [18_000, 22_000])).toBe(0);
    expect(scenario.leakedCount).toBe(0);
  });

  it('is better than the whole load on the few that are left', () => {
    const brave = play({ panic: { thresholdPercent: 0 } });
    // 70 % on 40 %: nearly everything waits until its deadline. In panic 60 % fail at once and the others are served.
    const during = [11_500, 14_000] as const;
    expect(goodPerSecondIn(scenario, during)).toBeGreaterThan(goodPerSecondIn(brave, during));
  });
});
