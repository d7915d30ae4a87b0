import { beforeEach, describe, expect, it } from 'vitest';
import { EvenkeelError } from '../error/evenkeel-error.ts';
import { PickError } from '../error/pick-error.ts';
import type { EndpointInput } from '../model/endpoint.ts';
import { endpointSetOf, MAX_ENDPOINTS } from '../model/endpoint-set.ts';
import { LoadTable } from '../model/load-table.ts';
import { Outcome } from '../model/outcome.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import { roundRobin } from '../policy/round-robin/index.ts';
import { PolicyRegistry } from '../policy/registry.ts';
import type { ClusterEvent } from '../telemetry/events.ts';
import { createManualRuntime, type ManualRuntime } from '../testing/manual-runtime.ts';
import { BalancedCluster } from './cluster.ts';
import { TestDetector, TestResolver } from './test-support/cluster-bench.ts';
import { NO_TOPOLOGY } from './test-support/topology.ts';

describe('BalancedCluster', () => {
  let runtime: ManualRuntime;
  let resolver: TestResolver;
  let detector: TestDetector;
  let cluster: BalancedCluster;
  let events: ClusterEvent[];

  beforeEach(() => {
    runtime = createManualRuntime();
    resolver = new TestResolver();
    events = [];
    const load = new LoadTable();
    const registry = new PolicyRegistry([roundRobin]);
    cluster = new BalancedCluster({
      name: 'users',
      runtime,
      load,
      policyName: 'round-robin',
      balancer: registry.create(registry.decode('round-robin'), { load, random: runtime.random }),
      hashKeySource: undefined,
      keyed: false,
      topology: NO_TOPOLOGY,
      panicThresholdPercent: 50,
      drainTimeoutMs: 1_000,
      waitsForFirstCheck: false,
      createChecker: undefined,
      createDetector: (listener) => (detector = new TestDetector(listener)),
      createResolver: () => resolver,
    });
    cluster.subscribe((event) => events.push(event));
  });

  const deliver = (...inputs: EndpointInput[]): void =>
    resolver.listener?.onEndpoints(endpointSetOf(inputs));
  const eject = (slot: number): void => {
    detector.listener.onEject(slot, {
      detector: 'consecutive-failures',
      reason: 'because',
      durationMs: 1_000,
      count: 1,
    });
    runtime.scheduler.advance(0);
  };
  const pickMany = (count: number): Set<number> =>
    new Set(Array.from({ length: count }, () => cluster.pick()));
  const failureOf = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      if (error instanceof PickError) return error.code;
    }
    return 'no PickError';
  };

  it('spares what discovery calls degraded, until it no longer does', () => {
    const others = ['10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80'];
    deliver({ address: '10.0.0.1:80', degraded: true }, ...others);
    expect(cluster.stateOf(0)).toBe('degraded');
    // Three of four, over-provisioned by 1.4, can take everything.
    expect(pickMany(20)).toEqual(new Set([1, 2, 3]));
    deliver('10.0.0.1:80', ...others);
    runtime.scheduler.advance(0);
    expect(cluster.stateOf(0)).toBe('healthy');
    expect(pickMany(20)).toEqual(new Set([0, 1, 2, 3]));
    expect(events.filter(({ type }) => type === 'health-changed')).toMatchObject([
      { to: 'degraded', reason: 'degraded, says discovery' },
      { to: 'healthy', reason: 'no longer degraded, says discovery' },
    ]);
  });

  it('says why there is no endpoint', async () => {
    expect(failureOf(() => cluster.acquire())).toBe('EVENKEEL_NOT_READY');
    deliver();
    expect(failureOf(() => cluster.acquire())).toBe('EVENKEEL_NO_ENDPOINTS');
    deliver({ address: 'h:1', weight: 0 });
    expect(failureOf(() => cluster.acquire())).toBe('EVENKEEL_NO_ELIGIBLE_ENDPOINT');
    await cluster.close();
    expect(failureOf(() => cluster.acquire())).toBe('EVENKEEL_CLOSED');
  });

  it('is ready with the first set, and rejects those who wait when it closes or they give up', async () => {
    const ready = cluster.ready();
    const givenUp = cluster.ready(AbortSignal.abort(new Error('enough')));
    await expect(givenUp).rejects.toThrow('enough');
    deliver('h:1');
    await expect(ready).resolves.toBeUndefined();
    const other = new AbortController();
    await cluster.close();
    await expect(cluster.ready(other.signal)).rejects.toThrow(/closed/);
  });

  it('counts a request once, however often its lease is finished', () => {
    deliver('h:1');
    const lease = cluster.acquire();
    expect(cluster.snapshot().endpoints[0]?.activeCount).toBe(1);
    lease.finish(Outcome.success);
    lease.finish(Outcome.reset);
    lease.respond();
    const [endpoint] = cluster.snapshot().endpoints;
    expect(endpoint?.activeCount).toBe(0);
    expect(endpoint?.outcomes.success).toBe(1);
    expect(endpoint?.outcomes.reset).toBe(0);
    expect(detector.recorded).toEqual([[lease.slot, Outcome.success]]);
  });

  it('ignores a finish on the raw path that no start belongs to', () => {
    deliver('h:1');
    const slot = cluster.pick();
    cluster.finish(slot, Outcome.success, 1);
    expect(cluster.snapshot().endpoints[0]).toMatchObject({ activeCount: 0, startedCount: 0 });
  });

  it('keeps the time to the first byte apart from the time to the end', () => {
    deliver('h:1');
    const lease = cluster.acquire();
    runtime.scheduler.advance(20);
    lease.respond();
    runtime.scheduler.advance(5_000);
    lease.finish(Outcome.success);
    expect(cluster.snapshot().latency).toMatchObject({ count: 1, sumMs: 20 });
  });

  it('takes an ejected endpoint out and brings it back', () => {
    deliver('h:1', 'h:2', 'h:3');
    const slot = cluster.pick();
    eject(slot);
    expect(pickMany(20)).not.toContain(slot);
    detector.listener.onReturn(slot, 'time');
    runtime.scheduler.advance(0);
    expect(pickMany(20)).toContain(slot);
    expect(events.filter(({ type }) => type === 'health-changed')).toMatchObject([
      { from: 'healthy', to: 'ejected', reason: 'because' },
      { from: 'ejected', to: 'healthy', reason: 'the ejection time is over' },
    ]);
  });

  it('offers the trial of an ejected endpoint to one request that may be retried', () => {
    deliver('h:1', 'h:2', 'h:3');
    const slot = cluster.pick();
    eject(slot);
    detector.trialSlot = slot;
    expect(cluster.pick({ probe: false })).not.toBe(slot);
    expect(cluster.pick({ exclude: [slot] })).not.toBe(slot);
    expect(cluster.explain().chosen?.id).toBe(cluster.endpoint(slot)?.id);
    expect(cluster.pick()).toBe(slot);
    expect(cluster.pick()).not.toBe(slot);
  });

  it('does not offer a trial to an endpoint that something else stands against', () => {
    deliver('h:1', 'h:2', 'h:3');
    const slot = cluster.pick();
    eject(slot);
    cluster.setEnabled(cluster.endpoint(slot)?.id ?? '', false);
    detector.trialSlot = slot;
    expect(cluster.pick()).not.toBe(slot);
  });

  it('takes the weight that an operator gives, whatever discovery lists, until it is taken back', () => {
    deliver('h:1', 'h:2');
    const weightOf = (id: string): number | undefined =>
      cluster.snapshot().endpoints.find((endpoint) => endpoint.id === id)?.weight;
    cluster.setWeight('h:1', 0);
    expect(weightOf('h:1')).toBe(0);
    expect(pickMany(20).size).toBe(1);
    deliver('h:1', { address: 'h:2', weight: 3 });
    expect([weightOf('h:1'), weightOf('h:2')]).toEqual([0, 3]);
    const updates = events.filter(({ type }) => type === 'endpoint-updated').length;
    deliver('h:1', { address: 'h:2', weight: 3 });
    expect(events.filter(({ type }) => type === 'endpoint-updated')).toHaveLength(updates);
    cluster.setWeight('h:1', undefined);
    expect(weightOf('h:1')).toBe(1);
    expect(pickMany(20).size).toBe(2);
    deliver('h:2');
    expect(weightOf('h:1')).toBeUndefined();
    expect(() => cluster.setWeight('h:1', 1)).toThrow("an endpoint of cluster 'users'");
    for (const wrong of [-1, 0.5, Number.NaN, 1_000_001])
      expect(() => cluster.setWeight('h:2', wrong)).toThrow('a whole number from 0 to 1000000');
    expect(weightOf('h:2')).toBe(1);
  });

  it('ignores health below the panic threshold, but never picks what is disabled', () => {
    deliver('h:1', 'h:2', 'h:3', 'h:4');
    const [a, b, c] = [...pickMany(20)] as [number, number, number];
    cluster.setEnabled(cluster.endpoint(c)?.id ?? '', false);
    eject(a);
    expect(pickMany(20)).not.toContain(a);
    eject(b); // 1 of 3 is healthy: below 50 %
    expect(pickMany(20)).toContain(a);
    expect(pickMany(20)).not.toContain(c);
    expect(cluster.snapshot()).toMatchObject({ panic: true, healthyCount: 1, eligibleCount: 3 });
    expect(events.at(-1)).toMatchObject({ type: 'panic-entered', healthyCount: 1, totalCount: 3 });
  });

  it('publishes once for many changes of one turn', () => {
    deliver(...Array.from({ length: 10 }, (_, index) => `h:${index + 1}`));
    const { version } = cluster.snapshot();
    for (const { slot } of cluster.snapshot().endpoints.slice(0, 4)) {
      detector.listener.onEject(slot, {
        detector: 'consecutive-failures',
        reason: 'because',
        durationMs: 1,
        count: 1,
      });
    }
    runtime.scheduler.advance(0);
    expect(cluster.snapshot().version).toBe(version + 1);
  });

  it('drains a removed endpoint and says when it is gone', () => {
    deliver('h:1', 'h:2');
    const lease = cluster.acquire();
    deliver(...['h:1', 'h:2'].filter((id) => id !== lease.endpoint.id));
    expect(pickMany(20)).not.toContain(lease.slot);
    expect(cluster.endpoint(lease.slot)).toBeDefined();
    expect(events.map(({ type }) => type)).not.toContain('endpoint-removed');
    lease.finish(Outcome.success);
    expect(cluster.endpoint(lease.slot)).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ type: 'endpoint-removed', forced: false });
  });

  it('keeps the last set when discovery fails or delivers an absurd one', () => {
    deliver('h:1');
    resolver.listener?.onError(new EvenkeelError('EVENKEEL_DISCOVERY', 'gone'));
    const endpoint = endpointSetOf(['h:2']).endpoints[0];
    const endpoints = Array.from(
      { length: MAX_ENDPOINTS + 1 },
      () => endpoint as NonNullable<typeof endpoint>,
    );
    resolver.listener?.onEndpoints({ endpoints, byId: new Map() });
    expect(cluster.snapshot().endpoints.map(({ id }) => id)).toEqual(['h:1']);
    expect(events.filter(({ type }) => type === 'discovery-error')).toHaveLength(2);
  });

  it('survives a listener that throws', () => {
    cluster.subscribe(() => {
      throw new Error('mine');
    });
    deliver('h:1');
    expect(cluster.acquire().endpoint.id).toBe('h:1');
  });

  it('explains candidates, the ineligible ones with their reason', () => {
    deliver('h:1', 'h:2', 'h:3');
    const slot = cluster.pick();
    eject(slot);
    const explanation = cluster.explain();
    expect(explanation.candidateCount).toBe(3);
    expect(explanation.candidates.at(-1)).toMatchObject({
      slot,
      eligible: false,
      state: 'ejected',
      reason: 'because',
    });
    expect(explanation.chosen).toBeDefined();
    expect(explanation.reason).toMatch(/^round-robin: /);
  });

  it('closes everything it owns, once', async () => {
    deliver('h:1');
    const lease = cluster.acquire();
    deliver();
    await Promise.all([cluster.close(), cluster.close()]);
    expect(resolver.closed).toBe(true);
    expect(runtime.scheduler.pendingCount).toBe(0);
    lease.finish(Outcome.success);
    deliver('h:9');
    expect(cluster.pick()).toBe(NO_SLOT);
  });
});
