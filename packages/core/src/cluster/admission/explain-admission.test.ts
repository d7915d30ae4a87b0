import { afterEach, describe, expect, it } from 'vitest';
import { Outcome } from '../../model/outcome.ts';
import { admissionBench, closeAll } from '../test-support/admission-bench.ts';

afterEach(closeAll);

describe('explain', () => {
  it('says first whether a request would be admitted, and why not', () => {
    const { cluster } = admissionBench({ thresholds: { requests: 1 } });
    const step = (): unknown => cluster.explain().path[0];
    expect(step()).toEqual({
      step: 'admission',
      choice: 'admitted',
      shareRatio: 1,
      reason: '0 in flight',
    });
    const lease = cluster.acquire();
    expect(step()).toMatchObject({ choice: 'refused', reason: 'threshold: 1 requests in flight' });
    lease.finish(Outcome.success);
    expect(cluster.snapshot().admission?.refused.threshold).toBe(0);
  });

  it('says of endpoints that they are full or their circuit is open', () => {
    const { cluster, runtime, advance } = admissionBench({
      concurrency: { per: 'endpoint', initialLimit: 1, minLimit: 1 },
      circuitBreaker: { endpoint: { minRequests: 1 } },
    });
    cluster.admission?.enter(0, 0);
    cluster.admission?.enter(1, runtime.clock.nowMs());
    cluster.admission?.leave(1, Outcome.reset, 0, runtime.clock.nowMs());
    advance(500);
    const reasons = Object.fromEntries(
      cluster
        .explain()
        .candidates.map(({ id, eligible, reason }) => [id, `${eligible}: ${reason}`]),
    );
    expect(reasons['a']).toBe('false: concurrency limit reached: 1 in flight');
    expect(reasons['b']).toBe('false: circuit open: failures');
    expect(reasons['c']).toMatch(/^true: /);
    expect(cluster.explain().chosen?.id).toBe('c');
  });

  it.each([
    ['maglev', '42', 'key', 'maglev: equal keys lead to the same endpoint'],
    ['maglev', undefined, 'no key', 'maglev goes by keys, and there is none: any endpoint'],
    ['random', '42', 'key', 'random does not go by keys: the key is ignored'],
    ['random', undefined, undefined, undefined],
  ])('says what the key decides: %s, %s', (policy, hashKey, choice, reason) => {
    const { cluster } = admissionBench(undefined, { policy });
    const step = cluster.explain({ hashKey }).path.find((one) => one.step === 'affinity');
    expect([step?.choice, step?.reason]).toEqual([choice, reason]);
  });
});

it('shows plain data', () => {
  const { cluster } = admissionBench({
    thresholds: {},
    circuitBreaker: { cluster: {}, endpoint: {} },
    loadShedding: {},
    clientThrottle: {},
    concurrency: { per: 'endpoint' },
    rateLimit: { requestsPerSecond: 10 },
  });
  cluster.acquire().finish(Outcome.success);
  const { admission, endpoints } = cluster.snapshot();
  expect(JSON.parse(JSON.stringify(admission))).toEqual(admission);
  expect(admission).toMatchObject({
    thresholds: { requests: { limit: 1_024, activeCount: 0 } },
    concurrency: { per: 'endpoint', limit: 20, activeCount: 0 },
    endpointCircuits: { closed: 1, open: 0, 'half-open': 0 },
    throttleRatio: 0,
    shedLevel: 0,
    rateRemaining: 9,
  });
  // Only where a request went is there a circuit.
  const circuits = endpoints.map(({ admission: own }) => own?.circuit ?? 'none');
  expect(circuits.sort()).toEqual(['closed', 'none', 'none']);
});
