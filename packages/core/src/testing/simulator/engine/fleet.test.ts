import { describe, expect, it } from 'vitest';
import { decodeScenario } from '../scenario/decode-scenario.ts';
import { createFleet, selectServers } from './fleet.ts';

const scenario = decodeScenario({
  name: 'test',
  servers: [
    { count: 6, zone: ['a', 'b'] },
    { count: 4, cores: 2, speed: 0.5, zone: 'b' },
  ],
  antagonists: [
    { serverPercent: 50, takesRatio: 0.4, onMs: 100, offMs: 300 },
    { serverPercent: 20, takesRatio: 1, onMs: 50, offMs: 50 },
  ],
  work: { meanMs: 20 },
});

describe('the fleet', () => {
  it('has the servers of all groups, zones dealt out in turn', () => {
    const { servers, zones } = createFleet(scenario, 1);
    expect(servers.map(({ group, zone, speed }) => `${group}${zone}${speed}`)).toEqual([
      ...['0a1', '0b1', '0a1', '0b1', '0a1', '0b1'],
      ...['1b0.5', '1b0.5', '1b0.5', '1b0.5'],
    ]);
    expect(new Set(servers.map(({ id }) => id)).size).toBe(10);
    expect(zones).toEqual(['a', 'b']);
  });

  it('gives each antagonist its share of the servers, drawn by the seed', () => {
    const countOf = (seed: number): number[] => {
      const { antagonists } = createFleet(scenario, seed);
      return scenario.antagonists.map(
        (antagonist) => antagonists.filter((other) => other === antagonist).length,
      );
    };
    for (const seed of [1, 2, 3]) expect(countOf(seed)).toEqual([5, 2]);
    const whoOf = (seed: number): string =>
      createFleet(scenario, seed)
        .antagonists.map((each) => each?.takesRatio ?? 0)
        .join();
    expect(whoOf(1)).toBe(whoOf(1));
    expect(whoOf(1)).not.toBe(whoOf(2));
  });

  it('knows its capacity: speed * cores * what antagonists leave / mean work', () => {
    const { servers, antagonists, capacityPerSecond } = createFleet(scenario, 1);
    const left = new Map([
      [0.4, 1 - 0.4 * 0.25],
      [1, 0.5],
    ]);
    const expected = servers.reduce(
      (sum, { speed, cores }, index) =>
        sum + speed * cores * (left.get(antagonists[index]?.takesRatio ?? 0) ?? 1),
      0,
    );
    expect(capacityPerSecond).toBeCloseTo((expected / 20) * 1_000, 6);
  });

  it.each([
    [{}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [{ count: 2 }, [0, 1]],
    [{ percent: 25 }, [0, 1, 2]],
    [{ zone: 'a' }, [0, 2, 4]],
    [{ zone: 'b', group: 1, count: 2 }, [6, 7]],
    [{ zone: 'c' }, []],
  ])('selects servers by %o', (selector, expected) => {
    const { servers } = createFleet(scenario, 1);
    expect(selectServers(selector, servers).map(({ index }) => index)).toEqual(expected);
  });
});
