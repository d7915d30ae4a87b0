import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localityShares } from './locality-weighted.ts';
import { type ZoneCapacity, zoneRouting } from './zone-aware.ts';

/** Zones with their healthy weight and their number of clients. */
const layout = fc.array(
  fc.record({ weight: fc.nat(50), clients: fc.nat(50), unhealthy: fc.nat(10) }),
  { minLength: 2, maxLength: 6 },
);

type Layout = readonly {
  readonly weight: number;
  readonly clients: number;
  readonly unhealthy: number;
}[];

function routingFrom(zones: Layout, own: number, panicThresholdPercent = 0) {
  const capacities = zones.map(({ weight, unhealthy }, index): ZoneCapacity => ({
    zone: `z${index}`,
    healthyWeight: weight,
    healthyCount: weight,
    presumedHealthyCount: weight,
    candidateCount: weight + unhealthy,
  }));
  const counts = new Map(zones.map(({ clients }, index) => [`z${index}`, clients]));
  return zoneRouting(
    capacities,
    { counts, panic: false },
    { ownZone: `z${own}`, minEndpoints: 1, panicThresholdPercent },
  );
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

describe('zoneRouting', () => {
  it('gives shares of 0 to 1 that add up to 1, and none to a zone without anyone healthy', () => {
    fc.assert(
      fc.property(layout, fc.nat(5), fc.constantFrom(0, 50), (zones, own, threshold) => {
        const routing = routingFrom(zones, own % zones.length, threshold);
        if (routing.mode === 'off') return;
        expect(sum(routing.shares)).toBeCloseTo(1, 9);
        routing.shares.forEach((share, index) => {
          expect(share).toBeGreaterThanOrEqual(0);
          if (zones[index]?.weight === 0) expect(share).toBe(0);
        });
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('loads all healthy endpoints alike when all clients reckon so', () => {
    fc.assert(
      fc.property(layout, (zones) => {
        const clients = sum(zones.map((zone) => zone.clients));
        const weight = sum(zones.map((zone) => zone.weight));
        fc.pre(clients > 0 && weight > 0);
        const loads = zones.map(() => 0);
        zones.forEach((zone, own) => {
          const routing = routingFrom(zones, own);
          if (routing.mode === 'off') throw new Error(routing.reason);
          routing.shares.forEach(
            (share, to) => (loads[to] = (loads[to] ?? 0) + (share * zone.clients) / clients),
          );
        });
        loads.forEach((load, index) =>
          expect(load).toBeCloseTo((zones[index]?.weight ?? 0) / weight, 9),
        );
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('keeps as much in the own zone as that evenness allows', () => {
    fc.assert(
      fc.property(layout, fc.nat(5), (zones, from) => {
        const own = from % zones.length;
        const clients = sum(zones.map((zone) => zone.clients));
        const weight = sum(zones.map((zone) => zone.weight));
        const zone = zones[own];
        fc.pre(zone !== undefined && zone.clients > 0 && weight > 0);
        const routing = routingFrom(zones, own);
        if (routing.mode === 'off' || zone === undefined) return;
        const most = Math.min(1, zone.weight / weight / (zone.clients / clients));
        expect(routing.shares[own]).toBeCloseTo(most, 9);
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe('localityShares', () => {
  it('add up to 1 while anyone is healthy, and give nothing to a zone without', () => {
    const zones = fc.array(
      fc
        .record({ weight: fc.nat(100), healthyCount: fc.nat(20), bad: fc.nat(20) })
        .map(({ weight, healthyCount, bad }) => ({
          weight,
          healthyCount,
          candidateCount: healthyCount + bad,
        })),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(zones, fc.constantFrom(1, 1.4, 3), (all, factor) => {
        const shares = localityShares(all, factor);
        const anyone = all.some(({ healthyCount }) => healthyCount > 0);
        expect(sum(shares)).toBeCloseTo(anyone ? 1 : 0, 9);
        shares.forEach((share, index) => {
          if (all[index]?.healthyCount === 0) expect(share).toBe(0);
        });
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
