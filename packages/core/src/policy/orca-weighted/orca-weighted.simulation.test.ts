/** Weights by load reports on servers of lasting unequal capacity: what the policy is for, and where it ends. */
import { describe, expect, it } from 'vitest';
import type { ScenarioOptions } from '../../testing/simulator/scenario/scenario.ts';
import { simulate } from '../../testing/simulator/simulate.ts';

/** A quarter of the servers does twice, another half of what the others do. Nobody is told. */
const UNEVEN: ScenarioOptions = {
  name: 'uneven-for-good',
  clients: 20,
  servers: [
    { count: 10, speed: 2 },
    { count: 20, speed: 1 },
    { count: 10, speed: 0.5 },
  ],
  load: 70,
  // Weights count after a second here, and the rates look back on another one.
  warmUpMs: 5_000,
  durationMs: 8_000,
};

const ORCA = { name: 'orca-weighted', blackoutMs: 1_000 };

describe('orca-weighted in the simulator', () => {
  it('finds out what each server can do, and gives it that part', () => {
    const { servers, errorPercent } = simulate(UNEVEN, { policy: ORCA, seed: 1 });
    const total = servers.reduce((sum, { attemptCount }) => sum + attemptCount, 0);
    const capacity = servers.reduce((sum, { speed }) => sum + speed, 0);
    for (const { speed, attemptCount } of servers) {
      const share = attemptCount / total;
      // Utilisation and rates are measured over a second, in which 100 requests of random size fall on a slow server.
      expect(Math.abs(share / (speed / capacity) - 1)).toBeLessThan(0.2);
    }
    expect(errorPercent).toBeLessThan(0.01);
  });

  it('spares the weak servers what round robin asks of them', () => {
    const [orca, roundRobin] = [ORCA, 'round-robin'].map((policy) =>
      simulate(UNEVEN, { policy, seed: 1 }),
    );
    // Round robin gives the slow ones 1.5 times of what they can do: 0.7 * 45 / 40 / 0.5.
    expect(roundRobin?.errorPercent).toBeGreaterThan(4);
    expect(orca?.p99Ms).toBeLessThan((roundRobin?.p99Ms ?? 0) / 4);
  });

  it('takes turns while the reports do not count yet', () => {
    const { servers, attemptCount } = simulate(
      { ...UNEVEN, load: 30 },
      { policy: { ...ORCA, blackoutMs: 60_000 }, seed: 1 },
    );
    const fair = attemptCount / servers.length;
    for (const server of servers)
      expect(Math.abs(server.attemptCount / fair - 1)).toBeLessThan(0.05);
  });
});
