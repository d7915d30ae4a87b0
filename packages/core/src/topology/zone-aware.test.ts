import { describe, expect, it } from 'vitest';
import { type ZoneCapacity, zoneRouting } from './zone-aware.ts';

const RULE = { ownZone: 'a', minEndpoints: 6, panicThresholdPercent: 50 };

function zone(name: string, healthyCount: number, candidateCount = healthyCount): ZoneCapacity {
  return {
    zone: name,
    healthyWeight: healthyCount,
    healthyCount,
    presumedHealthyCount: healthyCount,
    candidateCount,
  };
}

function peersOf(counts: Readonly<Record<string, number>>, panic = false) {
  return { counts: new Map(Object.entries(counts)), panic };
}

function sharesOf(
  zones: readonly ZoneCapacity[],
  counts: Readonly<Record<string, number>>,
  rule = RULE,
): readonly number[] | string {
  const routing = zoneRouting(zones, peersOf(counts), rule);
  return routing.mode === 'off'
    ? routing.reason
    : routing.shares.map((share) => Math.round(share * 10_000) / 10_000);
}

// The same table stands in docs/concepts/zone-aware-routing.md.
describe('zoneRouting: the table', () => {
  it.each([
    {
      name: 'as many clients as endpoints here: all stay',
      endpoints: { a: 10, b: 10 },
      peers: { a: 10, b: 10 },
      shares: [1, 0],
    },
    {
      name: 'more endpoints than clients here: all stay',
      endpoints: { a: 20, b: 10 },
      peers: { a: 10, b: 10 },
      shares: [1, 0],
    },
    {
      // Capacity 1/3 for 1/2 of the load: 2/3 of it stay.
      name: 'fewer endpoints than clients here: what is too much goes',
      endpoints: { a: 5, b: 10 },
      peers: { a: 10, b: 10 },
      shares: [0.6667, 0.3333],
    },
    {
      // Clients 40/40/20 %, endpoints 25/50/25 %: room 0/10/5, so 62.5 % stay and the rest goes 2 : 1.
      name: 'three zones',
      endpoints: { a: 5, b: 10, c: 5 },
      peers: { a: 40, b: 40, c: 20 },
      shares: [0.625, 0.25, 0.125],
    },
    {
      name: 'a zone without room gets nothing from elsewhere',
      endpoints: { a: 2, b: 4, c: 6 },
      peers: { a: 4, b: 4, c: 4 },
      shares: [0.5, 0, 0.5],
    },
    {
      name: 'no endpoint here: the others by their room',
      endpoints: { b: 10, c: 5 },
      peers: { a: 10, b: 10, c: 10 },
      // b: 66.7 - 33.3, c: 33.3 - 33.3
      shares: [1, 0],
    },
    {
      name: 'this client is not among its peers: its zone has nobody to share with',
      endpoints: { a: 3, b: 6 },
      peers: { b: 10 },
      shares: [1, 0],
    },
  ])('$name', ({ endpoints, peers, shares }) => {
    const zones = Object.entries(endpoints).map(([name, count]) => zone(name, count));
    expect(sharesOf(zones, peers as Readonly<Record<string, number>>)).toEqual(shares);
  });

  it('goes by weights where they differ', () => {
    const zones = [
      { ...zone('a', 4), healthyWeight: 1 },
      { ...zone('b', 4), healthyWeight: 3 },
    ];
    expect(sharesOf(zones, { a: 1, b: 1 })).toEqual([0.5, 0.5]);
  });

  it('sends by capacity where there is neither an own zone nor room', () => {
    expect(sharesOf([zone('b', 9), zone('c', 3)], { b: 3, c: 1 })).toEqual([0.75, 0.25]);
  });
});

describe('zoneRouting: failover', () => {
  it.each([
    { healthy: 10, shares: [1, 0] },
    { healthy: 8, shares: [0.8889, 0.1111] }, // 8/18 of the capacity for half of the load
    { healthy: 5, shares: [0.6667, 0.3333] },
    { healthy: 4, shares: 'panic in this zone: 4 of 10 healthy' },
    { healthy: 0, shares: [0, 1] },
  ])('$healthy of 10 healthy in the own zone', ({ healthy, shares }) => {
    expect(sharesOf([zone('a', healthy, 10), zone('b', 10)], { a: 1, b: 1 })).toEqual(shares);
  });

  it('is not moved by panic in another zone', () => {
    expect(sharesOf([zone('a', 10), zone('b', 1, 10)], { a: 1, b: 1 })).toEqual([1, 0]);
  });
});

describe('zoneRouting: off', () => {
  it.each([
    { name: 'one zone', zones: [zone('a', 12)], reason: 'there is only one zone' },
    {
      name: 'too small',
      zones: [zone('a', 3, 8), zone('b', 2, 8)],
      reason: '5 healthy endpoints, fewer than 6',
    },
  ])('$name', ({ zones, reason }) => {
    expect(sharesOf(zones, { a: 1, b: 1 })).toBe(reason);
  });

  it.each([
    { peers: undefined, reason: 'the peers are not known' },
    { peers: peersOf({}), reason: 'the peers are not known' },
    { peers: peersOf({ a: 0, b: 0 }), reason: 'the peers are not known' },
    { peers: peersOf({ a: 1, b: 1 }, true), reason: 'too few peers are healthy' },
  ])('$reason', ({ peers, reason }) => {
    expect(zoneRouting([zone('a', 5), zone('b', 5)], peers, RULE)).toEqual({ mode: 'off', reason });
  });
});
