/** Each kind of outlier detection finds what it is for, and spares the others. Round robin avoids nobody by itself. */
import { describe, expect, it } from 'vitest';
import { simulate } from '../simulate.ts';
import { blackHole } from './bad-server.ts';
import { outlierScenarios } from './outliers.ts';
import { partOf } from './test-support/traffic.ts';
import { hetero } from './uneven.ts';

describe('outlier detection', () => {
  it('by failures in a row ejects who only fails, and lets it come back', () => {
    const result = simulate(outlierScenarios.consecutive);
    const first = (from: number, until: number): number =>
      partOf(result, [from, until], ({ group }) => group === 0) * 20;
    expect(first(0, 2_000)).toBeCloseTo(1, 0);
    expect(first(3_000, 10_000)).toBeLessThan(0.01);
    // 10 s after the ejection a trial finds it well, unless the one before came too early.
    expect(first(14_000, 20_000)).toBeGreaterThan(0.7);
    // A tenth of failures has no five in a row but once in 100,000 requests.
    expect(result.servers[1]?.shareToFair).toBeGreaterThan(0.9);
    expect(result.leakedCount).toBe(0);
  });

  it('by gateway failures alone leaves a server with a bug alone', () => {
    const { servers } = simulate(outlierScenarios['gateway-failures']);
    expect(servers[0]?.shareToFair).toBeLessThan(0.05);
    expect(servers[1]?.shareToFair).toBeGreaterThan(0.95);
  });

  it('by failures of local origin leaves a server that answers alone', () => {
    const { servers } = simulate(outlierScenarios['local-origin']);
    expect(servers[0]?.shareToFair).toBeLessThan(0.05);
    expect(servers[1]?.shareToFair).toBeGreaterThan(0.95);
  });

  it('by success rate finds who fails now and then, after an interval', () => {
    const result = simulate(outlierScenarios['success-rate']);
    const part = (from: number, until: number): number =>
      partOf(result, [from, until], ({ group }) => group === 0) * 20;
    expect(part(0, 3_500)).toBeCloseTo(1, 0);
    expect(part(4_500, 12_000)).toBeLessThan(0.05);
    expect(result.ejectionCount).toBeGreaterThanOrEqual(5);
    expect(
      Math.min(...result.servers.slice(1).map(({ shareToFair }) => shareToFair)),
    ).toBeGreaterThan(0.9);
  });

  it('by failure percentage finds many at once', () => {
    const result = simulate(outlierScenarios['failure-percentage']);
    const part = partOf(result, [4_500, 12_000], ({ group }) => group === 0);
    expect(part).toBeLessThan(0.02);
    const { cluster, ...scenario } = outlierScenarios['failure-percentage'];
    const without = {
      ...(cluster?.['outlierDetection'] as object),
      failurePercentage: false,
    } as const;
    const blind = simulate(scenario, {
      cluster: { policy: 'round-robin', outlierDetection: without },
    });
    expect(partOf(blind, [4_500, 12_000], ({ group }) => group === 0)).toBeCloseTo(6 / 20, 2);
  });
});

describe('timeouts that all have', () => {
  const SEEDS = [1, 3];
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;

  it('in an overload eject few, and cost next to nothing', () => {
    const errorsWith = (ejects: boolean): number =>
      mean(
        SEEDS.map((seed) => {
          const cluster = ejects ? {} : { outlierDetection: false as const };
          const { errorPercent, ejectionCount } = simulate(
            { ...hetero, durationMs: 9_000 },
            {
              policy: 'least-request',
              loadPercent: 103,
              cluster,
              seed,
            },
          );
          // 20 clients: it was 90, 49 and 184 when five in a row were enough.
          expect(ejectionCount).toBeLessThan(60);
          return errorPercent;
        }),
      );
    expect(errorsWith(true) - errorsWith(false)).toBeLessThan(0.3);
  });

  it('do not hide a server that hangs, or a third of them', () => {
    for (const servers of [{ count: 1 }, { percent: 33 }]) {
      const { ejectionCount, servers: all } = simulate(
        {
          ...blackHole,
          load: 50,
          faults: [{ kind: 'black-hole', servers }],
          warmUpMs: 3_000,
          durationMs: 6_000,
        },
        { policy: 'round-robin' },
      );
      expect(ejectionCount).toBeGreaterThanOrEqual(servers.count === 1 ? 20 : 20 * 15);
      expect(all[0]?.shareToFair).toBeLessThan(0.05);
    }
  });
});
