import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createDispatcherMetrics, type DispatcherClusterStats } from './dispatcher-metrics.ts';
import { parseExposition } from './test-support/exposition.ts';

const stats = (cluster: string, count: number): DispatcherClusterStats => ({
  cluster,
  runningCount: count,
  waitingCount: 0,
  pendingCount: 0,
  connectionCount: 2 * count,
  retryVerdicts: { retry: count, budget: 0 },
  retryBudget: 0.5,
  hedgeCount: 3 * count,
  hedgeWinCount: count,
  hedgeRefusedCount: 0,
  deadlineCount: 0,
  admissionRefusedCount: 0,
  fallbackCount: 0,
  affinity:
    cluster === 'users' ? { visits: { valid: count }, keptCount: count, movedCount: 1 } : undefined,
});

async function samplesOf(registry: { metrics(): Promise<string> }): Promise<Map<string, number>> {
  const families = parseExposition(await registry.metrics());
  return new Map([...families.values()].flatMap(({ samples }) => [...samples]));
}

describe('metrics of dispatchers', () => {
  it('show what dispatchers count, one cluster under several of them added up', async () => {
    const one = { stats: { clusters: [stats('users', 2), stats('orders', 5)] } };
    const other = { stats: { clusters: [stats('users', 1)] } };
    const metrics = createDispatcherMetrics({ dispatchers: [one] });
    metrics.add(other);
    const samples = await samplesOf(metrics.registry);
    expect(samples.get('evenkeel_dispatcher_requests_active{cluster="users"}')).toBe(3);
    expect(samples.get('evenkeel_dispatcher_requests_active{cluster="orders"}')).toBe(5);
    expect(samples.get('evenkeel_dispatcher_connections{cluster="users"}')).toBe(6);
    expect(samples.get('evenkeel_dispatcher_hedges_total{cluster="users"}')).toBe(9);
    const verdict = 'evenkeel_dispatcher_retry_verdicts_total{cluster="users",verdict="retry"}';
    expect(samples.get(verdict)).toBe(3);
    // A second scrape shows the same: nothing is counted twice.
    expect((await samplesOf(metrics.registry)).get(verdict)).toBe(3);
    const picks = 'evenkeel_dispatcher_affinity_picks_total';
    expect(samples.get(`${picks}{cluster="users",result="kept"}`)).toBe(3);
    expect(samples.get(`${picks}{cluster="users",result="moved"}`)).toBe(2);
    const visits = 'evenkeel_dispatcher_affinity_visits_total';
    expect(samples.get(`${visits}{cluster="users",status="valid"}`)).toBe(3);
    // Without cookie affinity there is nothing to count.
    expect([...samples.keys()].filter((name) => /affinity.*orders/.test(name))).toEqual([]);
    metrics.remove(other);
    expect((await samplesOf(metrics.registry)).get(verdict)).toBe(2);
  });

  it('have names that Prometheus advises', async () => {
    const metrics = createDispatcherMetrics({
      dispatchers: [{ stats: { clusters: [stats('a', 1)] } }],
    });
    const families = [...parseExposition(await metrics.registry.metrics()).values()];
    expect(families.length).toBe(14);
    for (const { name, help, type } of families) {
      expect(name).toMatch(/^evenkeel_dispatcher_[a-z]+(_[a-z]+)*$/);
      expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });

  it('leave the registry as they found it', async () => {
    const registry = new Registry();
    const metrics = createDispatcherMetrics({ registry, prefix: 'mine' });
    expect(() => createDispatcherMetrics({ registry, prefix: 'mine' })).toThrow(
      'already been registered',
    );
    expect(registry.getMetricsAsArray()).toHaveLength(14);
    metrics.close();
    metrics.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
    expect(() => createDispatcherMetrics({ prefix: '1x' })).toThrow('prefix');
  });
});
