import { afterEach, describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import type { AdmissionOptions } from '../../resilience/admission-config.ts';
import type { Cluster } from '../face.ts';
import {
  activeCounts,
  admissionBench,
  type AdmissionBench,
  closeAll,
  thrownBy,
} from '../test-support/admission-bench.ts';

afterEach(closeAll);

describe('the circuits of endpoints', () => {
  const options = { circuitBreaker: { endpoint: { minRequests: 3, openMs: 1_000 } } };
  const stateOf = (cluster: Cluster, id: string): string | undefined =>
    cluster.snapshot().endpoints.find((endpoint) => endpoint.id === id)?.state;

  /** Lets requests to the endpoint fail until its circuit opens. */
  function breakCircuit({ cluster, runtime, advance }: AdmissionBench, id: string): void {
    const { slot = -1 } = cluster.snapshot().endpoints.find((one) => one.id === id) ?? {};
    for (let count = 0; count < 3; count++) {
      const nowMs = runtime.clock.nowMs();
      expect(cluster.admission?.enter(slot, nowMs)).toBe(true);
      cluster.admission?.leave(slot, Outcome.timeout, 1, nowMs, nowMs);
    }
    // A publication may have to wait its turn.
    advance(500);
  }

  it('take the endpoint out of rotation while open, and back for a single trial', () => {
    const setup = admissionBench(options);
    const { cluster, advance, events } = setup;
    breakCircuit(setup, 'b');
    expect(stateOf(cluster, 'b')).toBe('circuit-open');
    const picked = new Set(Array.from({ length: 20 }, () => cluster.endpoint(cluster.pick())?.id));
    expect([...picked].sort()).toEqual(['a', 'c']);
    advance(1_000);
    expect(stateOf(cluster, 'b')).toBe('healthy');
    const leases = Array.from({ length: 9 }, () => cluster.acquire());
    expect(leases.filter(({ endpoint }) => endpoint.id === 'b')).toHaveLength(1);
    for (const lease of leases) lease.finish(Outcome.success);
    expect(cluster.snapshot().endpoints[1]?.admission?.circuit).toBe('closed');
    expect(cluster.snapshot().admission?.endpointCircuits).toMatchObject({ closed: 3, open: 0 });
    expect(
      events.flatMap((event) =>
        event.type === 'circuit-changed' ? [`${event.endpoint?.id} ${event.to}`] : [],
      ),
    ).toEqual(['b open', 'b half-open', 'b closed']);
  });

  it('count as unhealthy for panic, which sends nobody there all the same', () => {
    const setup = admissionBench(
      { circuitBreaker: { endpoint: { minRequests: 3, openMs: 10_000 } } },
      { ids: ['a', 'b', 'c', 'd'] },
    );
    const { cluster, refusal, advance } = setup;
    for (const id of ['a', 'b', 'c']) breakCircuit(setup, id);
    expect(cluster.snapshot()).toMatchObject({ panic: true, healthyCount: 1, eligibleCount: 1 });
    for (let count = 0; count < 10; count++) expect(cluster.endpoint(cluster.pick())?.id).toBe('d');
    breakCircuit(setup, 'd');
    expect(refusal()).toBe('no-eligible-endpoint');
    advance(10_000);
    expect(cluster.snapshot().panic).toBe(false);
    expect(refusal()).toBeUndefined();
  });

  it('give the trial of an ejected endpoint back when they refuse it', () => {
    const setup = admissionBench(
      { concurrency: { per: 'endpoint', initialLimit: 1, minLimit: 1 } },
      { ids: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] },
    );
    const { cluster, advance, runtime } = setup;
    const slot = 4;
    for (let count = 0; count < 5; count++) {
      cluster.start(slot);
      cluster.finish(slot, Outcome.serverError, 1);
    }
    advance(1_000);
    expect(stateOf(cluster, 'e')).toBe('ejected');
    // Somebody still holds its only place when the ejection is over.
    expect(cluster.admission?.enter(slot, runtime.clock.nowMs())).toBe(true);
    const isTrialOffered = (): boolean => cluster.explain().chosen?.id === 'e';
    for (let wait = 0; wait < 100 && !isTrialOffered(); wait++) advance(500);
    expect(isTrialOffered()).toBe(true);
    const other = cluster.acquire();
    expect(other.slot).not.toBe(slot);
    other.finish(Outcome.success);
    cluster.admission?.leave(slot, Outcome.success, 1, runtime.clock.nowMs());
    const trial = cluster.acquire();
    expect(trial.slot).toBe(slot);
    trial.finish(Outcome.success);
    advance(1_000);
    expect(stateOf(cluster, 'e')).toBe('healthy');
  });

  it('go with their endpoint', async () => {
    const setup = admissionBench(options);
    const { cluster, deliver, runtime, advance } = setup;
    breakCircuit(setup, 'b');
    deliver('a', 'c');
    expect(cluster.snapshot().admission?.endpointCircuits).toMatchObject({ open: 0 });
    deliver('a', 'b', 'c');
    advance(500);
    expect(stateOf(cluster, 'b')).toBe('healthy');
    breakCircuit(setup, 'a');
    await cluster.close();
    expect(runtime.scheduler.pendingCount).toBe(0);
  });

  it('stay with an endpoint that leaves until its last request has ended', () => {
    const { cluster, deliver } = admissionBench(options, { ids: ['a'] });
    const lease = cluster.acquire();
    deliver();
    expect(cluster.snapshot().admission?.endpointCircuits).toMatchObject({ closed: 1 });
    lease.finish(Outcome.success);
    expect(cluster.snapshot().admission?.endpointCircuits).toMatchObject({ closed: 0 });
  });
});

describe('limits per endpoint', () => {
  const options: AdmissionOptions = {
    concurrency: { per: 'endpoint', initialLimit: 2, minLimit: 1, probeIntervalMs: 0 },
  };

  it('send a request elsewhere, and refuse it when everybody is full', () => {
    const { cluster } = admissionBench(options);
    const leases = Array.from({ length: 6 }, () => cluster.acquire());
    const counts = Map.groupBy(leases, ({ endpoint }) => endpoint.id);
    expect([...counts.values()].map(({ length }) => length)).toEqual([2, 2, 2]);
    const error = thrownBy(() => cluster.acquire());
    expect(error).toMatchObject({ reason: 'concurrency-limit', retryable: true });
    expect((error as Error).message).toMatch(/^cluster 'users', endpoint [abc]: /);
    for (const lease of leases) lease.finish(Outcome.success);
    expect(activeCounts(cluster)).toMatchObject({ requests: 0, endpoints: [0, 0, 0], tries: 0 });
    expect(cluster.snapshot().admission?.triesRefused['concurrency-limit']).toBe(3);
  });

  it('fall for the endpoint that is slow alone', () => {
    const { cluster, runtime } = admissionBench(
      {
        concurrency: {
          per: 'endpoint',
          algorithm: 'aimd',
          initialLimit: 20,
          aimd: { timeoutMs: 50 },
        },
      },
      { ids: ['a', 'b'] },
    );
    for (let round = 0; round < 40; round++) {
      const leases = Array.from({ length: 20 }, () => cluster.acquire());
      runtime.scheduler.advance(10);
      for (const lease of leases) if (lease.endpoint.id === 'a') lease.finish(Outcome.success);
      runtime.scheduler.advance(90);
      for (const lease of leases) lease.finish(Outcome.overloaded);
    }
    const [fast, slow] = cluster.snapshot().endpoints.map(({ admission }) => admission?.limit ?? 0);
    expect(fast).toBeGreaterThanOrEqual(20);
    expect(slow).toBeLessThan(10);
  });

  it('measure by the first byte where it is told', () => {
    const { cluster, runtime } = admissionBench(
      {
        concurrency: { algorithm: 'aimd', initialLimit: 20, windowMs: 0, aimd: { timeoutMs: 50 } },
      },
      { ids: ['a'] },
    );
    const limit = (): number => cluster.snapshot().admission?.concurrency?.limit ?? 0;
    const lease = cluster.acquire();
    runtime.scheduler.advance(10);
    lease.respond();
    runtime.scheduler.advance(1_000);
    lease.finish(Outcome.success);
    expect(limit()).toBe(20);
    const late = cluster.acquire();
    runtime.scheduler.advance(1_000);
    late.finish(Outcome.success);
    expect(limit()).toBe(18);
  });
});
