import { afterEach, describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { createCircuitBreakers } from '../../resilience/circuit-breaker/create-circuit-breakers.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { createCluster } from '../create-cluster.ts';
import type { Cluster } from '../face.ts';

/** The example of docs/concepts/circuit-breaker.md: 60 requests per second to three endpoints, one of which breaks. */
const PER_SECOND = 60;
const OPEN_MS = 2_000;
const MIN_REQUESTS = 10;

const open: Cluster[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((cluster) => cluster.close()));
});

describe('the circuit of an endpoint that breaks and recovers', () => {
  it('opens at its tenth failure, tries once every two seconds, and closes when it is well', () => {
    const runtime = createManualRuntime();
    const cluster = createCluster(
      {
        name: 'users',
        discovery: ['a', 'b', 'c'].map((id, index) => ({ address: `10.0.0.${index + 1}:80`, id })),
        policy: 'round-robin',
        outlierDetection: false,
        admission: { circuitBreaker: { endpoint: { minRequests: MIN_REQUESTS, openMs: OPEN_MS } } },
      },
      { ...runtime, createCircuitBreakers },
    );
    open.push(cluster);
    const changes: { readonly atMs: number; readonly to: string }[] = [];
    cluster.subscribe((event) => {
      if (event.type === 'circuit-changed') {
        expect(event.endpoint?.id).toBe('b');
        changes.push({ atMs: runtime.clock.nowMs(), to: event.to });
      }
    });
    runtime.scheduler.advance(10_000);
    const startMs = runtime.clock.nowMs();
    const since = (ms: number): number => ms - startMs;
    const recoversMs = startMs + 4_000;
    const failures: number[] = [];
    const toB: number[] = [];
    for (let request = 1; request <= 7 * PER_SECOND; request++) {
      runtime.scheduler.advance(startMs + (request * 1_000) / PER_SECOND - runtime.clock.nowMs());
      const nowMs = runtime.clock.nowMs();
      const lease = cluster.acquire();
      const isB = lease.endpoint.id === 'b';
      if (isB) toB.push(nowMs);
      if (isB && nowMs < recoversMs) failures.push(nowMs);
      lease.finish(isB && nowMs < recoversMs ? Outcome.serverError : Outcome.success);
    }
    // Every third request goes to b: the tenth within three turns of half a second.
    const turnMs = 3_000 / PER_SECOND;
    const [opened, halfOpen, reopened, again, closed] = changes;
    expect(changes.map(({ to }) => to)).toEqual([
      'open',
      'half-open',
      'open',
      'half-open',
      'closed',
    ]);
    expect(Math.abs(since(opened?.atMs ?? 0) - 500)).toBeLessThanOrEqual(turnMs);
    expect((halfOpen?.atMs ?? 0) - (opened?.atMs ?? 0)).toBeCloseTo(OPEN_MS, 6);
    // The trial is the next request that comes to b, and the only one.
    expect((reopened?.atMs ?? 0) - (halfOpen?.atMs ?? 0)).toBeLessThanOrEqual(2 * turnMs);
    expect((again?.atMs ?? 0) - (reopened?.atMs ?? 0)).toBeCloseTo(OPEN_MS, 6);
    expect((closed?.atMs ?? 0) - (again?.atMs ?? 0)).toBeLessThanOrEqual(2 * turnMs);
    expect(failures).toHaveLength(MIN_REQUESTS + 1);
    // Its third of the requests again.
    const after = toB.filter((ms) => ms > (closed?.atMs ?? 0)).length;
    const seconds = (runtime.clock.nowMs() - (closed?.atMs ?? 0)) / 1_000;
    expect(Math.abs(after - (seconds * PER_SECOND) / 3)).toBeLessThanOrEqual(2);
  });
});
