import { describe, expect, it } from 'vitest';
import { createCluster } from '../../cluster/create-cluster.ts';
import { Outcome } from '../../model/outcome.ts';
import { createCircuitBreakers } from '../../resilience/circuit-breaker/create-circuit-breakers.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { createMetrics } from './metrics.ts';
import { samplesOf } from './test-support/exposition.ts';

describe('the metrics of what is refused', () => {
  it('tell limits, refusals and circuits of a cluster', async () => {
    const runtime = createManualRuntime();
    const cluster = createCluster(
      {
        name: 'users',
        discovery: ['10.0.0.1:80', '10.0.0.2:80'],
        policy: 'round-robin',
        admission: {
          thresholds: { requests: 2 },
          circuitBreaker: { cluster: { minRequests: 4 }, endpoint: { minRequests: 2 } },
          concurrency: { per: 'endpoint' },
          clientThrottle: {},
          loadShedding: { low: 2, normal: 2, high: 2, critical: 2 },
        },
      },
      { ...runtime, createCircuitBreakers },
    );
    const metrics = createMetrics({ clusters: [cluster] });
    runtime.scheduler.advance(0);
    for (let count = 0; count < 2; count++) cluster.acquire().finish(Outcome.success);
    cluster.acquire().finish(Outcome.timeout);
    cluster.acquire();
    const held = cluster.acquire();
    expect(() => cluster.acquire()).toThrow('too much is open already');
    held.finish(Outcome.success);
    // The third finds the circuit of the endpoint open.
    for (let count = 0; count < 3; count++) {
      cluster.admission?.enter(held.slot, 0);
      cluster.admission?.leave(held.slot, Outcome.timeout, 1, 1, 1);
    }
    const samples = samplesOf(await metrics.registry.metrics());
    const value = (name: string, labels = ''): number | undefined =>
      samples.get(`evenkeel_${name}{cluster="users"${labels}}`);
    expect(value('admission_admitted_total')).toBe(5);
    expect(value('admission_requests_active')).toBe(1);
    expect(value('admission_refused_total', ',reason="threshold"')).toBe(1);
    expect(value('admission_refused_total', ',reason="rate-limit"')).toBe(0);
    expect(value('admission_tries_refused_total', ',reason="circuit-open"')).toBe(1);
    expect(value('admission_limit', ',limit="requests"')).toBe(2);
    expect(value('admission_limit_used', ',limit="requests"')).toBe(1);
    expect(value('admission_limit', ',limit="concurrency"')).toBe(40);
    expect(value('admission_limit_used', ',limit="concurrency"')).toBe(1);
    expect(value('admission_shed_level')).toBe(0);
    expect(value('admission_throttle_ratio')).toBe(0);
    expect(value('circuit_breakers', ',scope="cluster",state="closed"')).toBe(1);
    expect(value('circuit_breakers', ',scope="cluster",state="open"')).toBe(0);
    expect(value('circuit_breakers', ',scope="endpoint",state="open"')).toBe(1);
    expect(value('circuit_changes_total', ',scope="endpoint",state="open"')).toBe(1);
    metrics.close();
    await cluster.close();
  });

  it('are left out for a cluster that refuses nothing', async () => {
    const cluster = createCluster({ name: 'users', discovery: ['10.0.0.1:80'] });
    const metrics = createMetrics({ clusters: [cluster] });
    const samples = samplesOf(await metrics.registry.metrics());
    expect([...samples.keys()].filter((key) => /admission|circuit_/.test(key))).toEqual([]);
    metrics.close();
    await cluster.close();
  });
});
