/** Prequal against what could be had at best, on uneven and disturbed servers that no client knows for itself. */
import { describe, expect, it } from 'vitest';
import { hetero } from '../../testing/simulator/scenarios/uneven.ts';
import type { FaultOptions } from '../../testing/simulator/scenario/scenario.ts';
import { simulate } from '../../testing/simulator/simulate.ts';
import type { SimulationResult } from '../../testing/simulator/result.ts';
import type { PolicyOptions } from '../policy.ts';

/** Shorter than the benchmark, with its seeds, load and clients. */
const SCENARIO = { ...hetero, warmUpMs: 3_000, durationMs: 6_000 };

function play(policy: PolicyOptions, faults: readonly FaultOptions[] = []): SimulationResult {
  // By the policy alone: an ejection would take a failing server out whatever the policy does.
  const cluster = { outlierDetection: false } as const;
  return simulate({ ...SCENARIO, faults }, { policy, cluster, loadPercent: 85, seed: 1 });
}

describe('prequal in the simulator', () => {
  const oracle = play('jsq');
  const probing = play('prequal');

  it('has a tail no longer than 1.35 times that of join-shortest-queue, which sees everything', () => {
    expect(probing.p99Ms).toBeLessThan(1.35 * oracle.p99Ms);
    expect(probing.errorPercent).toBeLessThan(0.01);
    expect(probing.leakedCount).toBe(0);
  });

  it('has one of at most 1.6 times with load reports alone', () => {
    const { p99Ms, errorPercent } = play({ name: 'prequal', probesPerRequest: 0 });
    expect(p99Ms).toBeLessThan(1.6 * oracle.p99Ms);
    expect(errorPercent).toBeLessThan(0.01);
  });

  it('does better than any client can from its own requests', () => {
    expect(probing.p99Ms).toBeLessThan(0.75 * play('peak-ewma').p99Ms);
  });

  it('is not drawn to a server that fails at once, however idle that looks', () => {
    const { servers, attemptCount } = play('prequal', [
      { kind: 'fail-fast', servers: { count: 1 } },
    ]);
    const fair = attemptCount / servers.length;
    expect(servers[0]?.attemptCount).toBeLessThan(fair / 2);
  });
});
