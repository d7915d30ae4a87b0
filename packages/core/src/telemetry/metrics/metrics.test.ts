import { Counter, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../error/config-error.ts';
import { createEndpoint } from '../../model/endpoint.ts';
import { createMetrics } from './metrics.ts';
import { parseExposition, samplesOf } from './test-support/exposition.ts';
import { endpointSnapshot, outcomesOf, ScriptedCluster } from './test-support/scripted-cluster.ts';

const A = createEndpoint('10.0.0.1:80');

async function scrape(metrics: {
  registry: { metrics(): Promise<string> };
}): Promise<Map<string, number>> {
  return samplesOf(await metrics.registry.metrics());
}

describe('createMetrics', () => {
  it('reports requests by outcome and those in flight', async () => {
    const cluster = new ScriptedCluster('users', {
      totals: { activeCount: 4, outcomes: outcomesOf({ success: 90, gatewayError: 3 }) },
    });
    const samples = await scrape(createMetrics({ clusters: [cluster] }));
    expect(samples.get('evenkeel_cluster_requests_total{cluster="users",outcome="success"}')).toBe(
      90,
    );
    expect(
      samples.get('evenkeel_cluster_requests_total{cluster="users",outcome="gatewayError"}'),
    ).toBe(3);
    // An outcome that never happened is a series at 0, so that its first occurrence is a rise.
    expect(samples.get('evenkeel_cluster_requests_total{cluster="users",outcome="timeout"}')).toBe(
      0,
    );
    expect(samples.get('evenkeel_cluster_requests_active{cluster="users"}')).toBe(4);
  });

  it('reports latency as a cumulative histogram in seconds', async () => {
    const cluster = new ScriptedCluster('users', {
      latency: { boundsMs: [10, 100], counts: [5, 2, 1], sumMs: 1250, count: 8 },
    });
    const samples = await scrape(createMetrics({ clusters: [cluster] }));
    const name = 'evenkeel_cluster_request_duration_seconds';
    expect(samples.get(`${name}_bucket{cluster="users",le="0.01"}`)).toBe(5);
    expect(samples.get(`${name}_bucket{cluster="users",le="0.1"}`)).toBe(7);
    expect(samples.get(`${name}_bucket{cluster="users",le="+Inf"}`)).toBe(8);
    expect(samples.get(`${name}_sum{cluster="users"}`)).toBe(1.25);
    expect(samples.get(`${name}_count{cluster="users"}`)).toBe(8);
  });

  it('reports endpoints by state, panic and readiness', async () => {
    const cluster = new ScriptedCluster('users', {
      panic: true,
      ready: false,
      eligibleCount: 3,
      endpoints: [
        endpointSnapshot('a'),
        endpointSnapshot('b'),
        endpointSnapshot('c', { state: 'ejected', eligible: false }),
      ],
    });
    const samples = await scrape(createMetrics({ clusters: [cluster] }));
    expect(samples.get('evenkeel_cluster_endpoints{cluster="users",state="healthy"}')).toBe(2);
    expect(samples.get('evenkeel_cluster_endpoints{cluster="users",state="ejected"}')).toBe(1);
    expect(samples.get('evenkeel_cluster_endpoints{cluster="users",state="draining"}')).toBe(0);
    expect(samples.get('evenkeel_cluster_endpoints_eligible{cluster="users"}')).toBe(3);
    expect(samples.get('evenkeel_cluster_panic{cluster="users"}')).toBe(1);
    expect(samples.get('evenkeel_cluster_ready{cluster="users"}')).toBe(0);
  });

  it('shows groups, so many that it bears', async () => {
    const group = (name: string, kind: 'healthy' | 'panic') => ({
      name,
      subset: undefined,
      priority: 0,
      zone: undefined,
      kind,
      shareRatio: 0.25,
      unaskedShareRatio: 0.25,
      eligibleCount: 3,
    });
    const many = Array.from({ length: 200 }, (_, index) => group(`spare ${index}`, 'healthy'));
    const cluster = new ScriptedCluster('users', {
      groups: [group('priority 0', 'panic'), ...many],
    });
    const samples = await scrape(createMetrics({ clusters: [cluster] }));
    const labels = '{cluster="users",group="priority 0"}';
    expect(samples.get(`evenkeel_cluster_group_share_ratio${labels}`)).toBe(0.25);
    expect(samples.get(`evenkeel_cluster_group_endpoints${labels}`)).toBe(3);
    expect(samples.get(`evenkeel_cluster_group_panic${labels}`)).toBe(1);
    const series = [...samples.keys()].filter((name) => name.includes('cluster_group_panic'));
    expect(series).toHaveLength(100);
  });

  it('counts events from its creation on', async () => {
    const cluster = new ScriptedCluster('users');
    const metrics = createMetrics({ clusters: [cluster] });
    const about = { endpoint: A, slot: 0 };
    cluster.emit({ type: 'panic-entered', group: 'priority 0', healthyCount: 1, totalCount: 4 });
    cluster.emit({ type: 'panic-left', group: 'priority 0', healthyCount: 4, totalCount: 4 });
    cluster.emit({
      type: 'membership-changed',
      addedCount: 3,
      updatedCount: 2,
      removedCount: 1,
      totalCount: 5,
    });
    cluster.emit({ type: 'health-changed', ...about, from: 'healthy', to: 'ejected', reason: '' });
    for (const type of ['endpoint-ejected', 'endpoint-ejected', 'ejection-skipped'] as const) {
      cluster.emit({ type, ...about, detector: 'consecutive-failures', reason: '', durationMs: 1 });
    }
    const samples = await scrape(metrics);
    expect(samples.get('evenkeel_cluster_panics_total{cluster="users"}')).toBe(1);
    expect(
      samples.get('evenkeel_cluster_membership_changes_total{cluster="users",change="added"}'),
    ).toBe(3);
    expect(
      samples.get('evenkeel_cluster_membership_changes_total{cluster="users",change="removed"}'),
    ).toBe(1);
    expect(
      samples.get('evenkeel_cluster_health_changes_total{cluster="users",state="ejected"}'),
    ).toBe(1);
    const ejections =
      'evenkeel_cluster_ejections_total{cluster="users",detector="consecutive-failures"';
    expect(samples.get(`${ejections},enforced="true"}`)).toBe(2);
    expect(samples.get(`${ejections},enforced="false"}`)).toBe(1);
  });

  it('reports how the watch on a registry fares, and nothing of the kind for other sources', async () => {
    const cluster = new ScriptedCluster('users', {});
    const metrics = createMetrics({ clusters: [cluster] });
    const names = [
      'evenkeel_discovery_resyncs_total',
      'evenkeel_discovery_silences_total',
      'evenkeel_discovery_guard_trips_total',
      'evenkeel_discovery_endpoints_held',
      'evenkeel_discovery_restored',
    ].map((name) => `${name}{cluster="users",kind="consul"}`);
    const values = async (): Promise<(number | undefined)[]> => {
      const samples = await scrape(metrics);
      return names.map((name) => samples.get(name));
    };
    expect(await values()).toEqual([undefined, undefined, undefined, undefined, undefined]);
    const watch = {
      resyncCount: 1,
      silenceCount: 2,
      guardTripCount: 3,
      heldCount: 4,
      restored: true,
    };
    cluster.set({ discovery: { ...cluster.state.discovery, kind: 'consul', watch } });
    expect(await values()).toEqual([1, 2, 3, 4, 1]);
    metrics.close();
  });

  it('reports the age of what discovery last said, and nothing before it said anything', async () => {
    const cluster = new ScriptedCluster('users');
    const metrics = createMetrics({ clusters: [cluster] });
    const discovery = { ...cluster.state.discovery, kind: 'dns', healthy: false, errorCount: 7 };
    const age = 'evenkeel_discovery_last_success_age_seconds{cluster="users",kind="dns"}';
    cluster.set({ discovery: { ...discovery, lastSuccessMs: undefined } });
    expect((await scrape(metrics)).has(age)).toBe(false);
    cluster.set({ discovery: { ...discovery, lastSuccessMs: 1000 } });
    cluster.clockMs = 13_500;
    const samples = await scrape(metrics);
    expect(samples.get(age)).toBe(12.5);
    expect(samples.get('evenkeel_discovery_errors_total{cluster="users",kind="dns"}')).toBe(7);
    expect(samples.get('evenkeel_discovery_healthy{cluster="users",kind="dns"}')).toBe(0);
  });

  it('reports single endpoints', async () => {
    const cluster = new ScriptedCluster('users', {
      endpoints: [
        endpointSnapshot('10.0.0.1:80', {
          weight: 3,
          activeCount: 2,
          startedCount: 12,
          eligible: false,
          // Cancelled requests say nothing about the endpoint.
          outcomes: outcomesOf({ success: 6, reset: 2, timeout: 1, cancelled: 1 }),
        }),
      ],
    });
    const samples = await scrape(createMetrics({ clusters: [cluster] }));
    const labels = '{cluster="users",endpoint="10.0.0.1:80"}';
    expect(samples.get(`evenkeel_endpoint_requests_total${labels}`)).toBe(10);
    expect(samples.get(`evenkeel_endpoint_failures_total${labels}`)).toBe(3);
    expect(samples.get(`evenkeel_endpoint_requests_active${labels}`)).toBe(2);
    expect(samples.get(`evenkeel_endpoint_eligible${labels}`)).toBe(0);
    expect(samples.get(`evenkeel_endpoint_weight${labels}`)).toBe(3);
  });

  it.each([
    [true, 100],
    [false, 0],
    [3, 3],
    [undefined, 100],
  ])(
    'with endpointLabels %s gives at most %d endpoints series of their own, and says how many have none',
    async (endpointLabels, expected) => {
      const endpoints = Array.from({ length: 500 }, (_, index) => endpointSnapshot(`e${index}`));
      const metrics = createMetrics({
        clusters: [new ScriptedCluster('users', { endpoints })],
        endpointLabels,
      });
      const samples = await scrape(metrics);
      const labelled = [...samples.keys()].filter((key) =>
        key.startsWith('evenkeel_endpoint_requests_total'),
      );
      expect(labelled).toHaveLength(expected);
      expect(samples.get('evenkeel_cluster_endpoints_unlabelled{cluster="users"}')).toBe(
        500 - expected,
      );
    },
  );

  it('takes one snapshot per cluster and scrape', async () => {
    const cluster = new ScriptedCluster('users');
    const metrics = createMetrics({ clusters: [cluster] });
    await scrape(metrics);
    expect(cluster.snapshotCount).toBe(1);
    await scrape(metrics);
    expect(cluster.snapshotCount).toBe(2);
  });

  it('adds and removes clusters', async () => {
    const users = new ScriptedCluster('users');
    const orders = new ScriptedCluster('orders');
    const metrics = createMetrics({ clusters: [users] });
    metrics.add(orders);
    metrics.add(orders);
    expect((await scrape(metrics)).has('evenkeel_cluster_ready{cluster="orders"}')).toBe(true);
    metrics.remove(users);
    metrics.remove(users);
    const samples = await scrape(metrics);
    expect([...samples.keys()].filter((key) => key.includes('cluster="users"'))).toEqual([]);
    expect(users.listenerCount).toBe(0);
    expect(orders.listenerCount).toBe(1);
  });

  it('refuses two open clusters of one name, and lets a new one take the place of a closed one', async () => {
    const first = new ScriptedCluster('users');
    const metrics = createMetrics({ clusters: [first] });
    const second = new ScriptedCluster('users', { ready: false });
    expect(() => metrics.add(second)).toThrow(ConfigError);
    first.set({ closed: true });
    metrics.add(second);
    expect(first.listenerCount).toBe(0);
    expect((await scrape(metrics)).get('evenkeel_cluster_ready{cluster="users"}')).toBe(0);
    // The one replaced cannot take its successor along.
    metrics.remove(first);
    expect((await scrape(metrics)).has('evenkeel_cluster_ready{cluster="users"}')).toBe(true);
  });

  it('shares a registry, and leaves it as it found it', async () => {
    const registry = new Registry();
    new Counter({ name: 'other_total', help: 'Something else.', registers: [registry] });
    const cluster = new ScriptedCluster('users');
    const metrics = createMetrics({ clusters: [cluster], registry, prefix: 'lb' });
    expect((await scrape(metrics)).has('lb_cluster_ready{cluster="users"}')).toBe(true);
    metrics.close();
    metrics.close();
    expect([...(await scrape(metrics)).keys()]).toEqual(['other_total']);
    expect(cluster.listenerCount).toBe(0);
  });

  it('registers all of its metrics or none', () => {
    const registry = new Registry();
    new Counter({ name: 'evenkeel_cluster_panics_total', help: 'Taken.', registers: [registry] });
    const cluster = new ScriptedCluster('users');
    expect(() => createMetrics({ clusters: [cluster], registry })).toThrow(
      /already been registered/,
    );
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual([
      'evenkeel_cluster_panics_total',
    ]);
    expect(cluster.listenerCount).toBe(0);
  });

  it.each([
    [{ prefix: '9lives' }, /^prefix: expected .*, got "9lives"/],
    [{ prefix: 'even keel' }, /^prefix: expected/],
    [{ prefix: '' }, /^prefix: expected/],
    [
      { endpointLabels: -1 },
      /^endpointLabels: expected true, false or an integer from 0 to 10000, got -1/,
    ],
    [{ endpointLabels: 1.5 }, /^endpointLabels: expected/],
    [{ endpointLabels: 10_001 }, /^endpointLabels: expected/],
  ])('refuses %j', (options, message) => {
    expect(() => createMetrics(options)).toThrow(message);
  });

  it('writes OpenMetrics for a registry that asks for it', async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const cluster = new ScriptedCluster('users', {
      totals: { activeCount: 0, outcomes: outcomesOf({ success: 5 }) },
    });
    const text = await createMetrics({ clusters: [cluster], registry }).registry.metrics();
    expect(text.endsWith('# EOF\n')).toBe(true);
    const families = parseExposition(text);
    // OpenMetrics names a counter without `_total` and its sample with it.
    expect(families.get('evenkeel_cluster_requests')?.type).toBe('counter');
    expect(
      samplesOf(text).get('evenkeel_cluster_requests_total{cluster="users",outcome="success"}'),
    ).toBe(5);
  });

  it('is seen by the JSON output of prom-client too', async () => {
    const cluster = new ScriptedCluster('users', {
      latency: { boundsMs: [10], counts: [1, 0], sumMs: 5, count: 1 },
    });
    const json = await createMetrics({ clusters: [cluster] }).registry.getMetricsAsJSON();
    const histogram = json.find(({ name }) => name === 'evenkeel_cluster_request_duration_seconds');
    expect(histogram?.values).toContainEqual({
      metricName: 'evenkeel_cluster_request_duration_seconds_count',
      labels: { cluster: 'users' },
      value: 1,
    });
  });
});
