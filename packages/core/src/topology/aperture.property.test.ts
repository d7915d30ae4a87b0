import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEndpoint, type Endpoint } from '../model/endpoint.ts';
import { apertureParts, seedOf } from './aperture.ts';
import { reachFactors } from './reach.ts';

const endpoints = (count: number, first = 0): Endpoint[] =>
  Array.from({ length: count }, (_, index) =>
    createEndpoint(`10.0.${(first + index) >> 8}.${(first + index) & 255}:80`),
  );
const sum = (values: Iterable<number>): number =>
  [...values].reduce((total, value) => total + value, 0);

describe('apertureParts: deterministic', () => {
  it('loads all endpoints alike over all clients, whatever the order in which a client lists them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 12, max: 20 }),
        (endpointCount, peerCount, size) => {
          const all = endpoints(endpointCount);
          const loads = new Map(all.map(({ id }) => [id, 0]));
          for (let index = 0; index < peerCount; index++) {
            const listed = index % 2 === 0 ? all : all.toReversed();
            const rule = { size, position: { index, count: peerCount }, seed: 0n };
            const parts = apertureParts(listed, rule);
            expect(sum(parts)).toBeGreaterThanOrEqual(Math.min(size, endpointCount) - 1e-9);
            parts.forEach((part, at) => {
              const { id } = listed[at] as Endpoint;
              loads.set(id, (loads.get(id) ?? 0) + part);
            });
          }
          const mean = sum(loads.values()) / endpointCount;
          for (const load of loads.values()) expect(load).toBeCloseTo(mean, 6);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });
});

describe('apertureParts: rendezvous', () => {
  const rule = { size: 12, position: undefined, seed: seedOf('client 1') };
  const chosen = (all: readonly Endpoint[]): Set<string> => {
    const parts = apertureParts(all, rule);
    return new Set(all.filter((_, index) => parts[index] === 1).map(({ id }) => id));
  };

  it('takes as many as asked for, or all', () => {
    expect(chosen(endpoints(100)).size).toBe(12);
    expect(chosen(endpoints(12)).size).toBe(12);
    expect(chosen(endpoints(5)).size).toBe(5);
    expect(chosen([]).size).toBe(0);
  });

  it('changes at most one of them when one endpoint comes or goes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(199), (count, which) => {
        const all = endpoints(count);
        const before = chosen(all);
        const without = chosen(all.filter((_, index) => index !== which % count));
        const lost = [...before].filter((id) => !without.has(id));
        const gained = [...without].filter((id) => !before.has(id));
        expect(lost.length).toBeLessThanOrEqual(1);
        expect(gained.length).toBeLessThanOrEqual(lost.length);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('differs between clients, so that every endpoint is used by some', () => {
    const all = endpoints(100);
    const users = new Map(all.map(({ id }) => [id, 0]));
    for (let client = 0; client < 300; client++) {
      const parts = apertureParts(all, { ...rule, seed: seedOf(`client ${client}`) });
      parts.forEach((part, index) => {
        const { id } = all[index] as Endpoint;
        users.set(id, (users.get(id) ?? 0) + part);
      });
    }
    // 36 clients each on average, binomial with a deviation of 5.6: 5 deviations.
    for (const count of users.values()) expect(Math.abs(count - 36)).toBeLessThan(28);
  });
});

describe('reachFactors', () => {
  const labelled = (count: number, first: number, version: string, priority = 0): Endpoint[] =>
    endpoints(count, first).map((endpoint) => ({ ...endpoint, priority, metadata: { version } }));
  const rule = { size: 12, position: undefined, seed: 7n, byZone: false, labels: ['version'] };

  it('gives every pool an aperture of its own, and lets it stand for the whole pool', () => {
    const all = [
      ...labelled(100, 0, 'v1'),
      ...labelled(5, 300, 'v2'),
      ...labelled(40, 400, 'v1', 1),
    ];
    const factors = reachFactors(all, rule);
    const pools = [factors.slice(0, 100), factors.slice(100, 105), factors.slice(105)];
    expect(pools.map((pool) => pool.filter((factor) => factor > 0).length)).toEqual([12, 5, 12]);
    pools.forEach((pool) => expect(sum(pool)).toBeCloseTo(pool.length, 9));
  });

  it('does not look at labels that nobody asks for', () => {
    const all = [...labelled(20, 0, 'v1'), ...labelled(20, 100, 'v2')];
    const factors = reachFactors(all, { ...rule, labels: [] });
    expect(factors.filter((factor) => factor > 0)).toHaveLength(12);
  });
});
