import { describe, expect, it } from 'vitest';
import { FAMILIES } from './families.ts';
import { createMetrics } from './metrics.ts';
import { parseExposition } from './test-support/exposition.ts';
import { endpointSnapshot, ScriptedCluster } from './test-support/scripted-cluster.ts';

/** https://prometheus.io/docs/practices/naming/ and the checks of `promtool check metrics`. */
describe('the names of metrics', () => {
  it('have the form that Prometheus advises', async () => {
    const cluster = new ScriptedCluster('users', { endpoints: [endpointSnapshot('a')] });
    const families = parseExposition(
      await createMetrics({ clusters: [cluster] }).registry.metrics(),
    );
    expect(families.size).toBe(FAMILIES.length + 1);
    for (const { name, help, type } of families.values()) {
      expect(name).toMatch(/^evenkeel_[a-z]+(_[a-z]+)*$/);
      expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
      expect(['counter', 'gauge', 'histogram'], name).toContain(type);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      // Base units only, no type in the name, no suffix that a histogram's parts would collide with.
      expect(name).not.toMatch(
        /_(ms|milliseconds|minutes|percent|counter|gauge|histogram|count|sum|bucket|info)$/,
      );
      if (/(duration|age|latency|delay)/.test(name)) expect(name).toMatch(/_seconds$/);
    }
  });

  it('are all different, and each has labels of one meaning', () => {
    expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length);
    const known = [
      'outcome',
      'state',
      'detector',
      'enforced',
      'change',
      'kind',
      'endpoint',
      'group',
      'reason',
      'limit',
      'scope',
      'stat',
    ];
    for (const { name, labels } of FAMILIES) {
      expect(new Set(labels).size, name).toBe(labels.length);
      for (const label of labels) expect(known, name).toContain(label);
    }
  });

  it('come with as many label values as labels', () => {
    const cluster = new ScriptedCluster('users', { endpoints: [endpointSnapshot('a')] });
    for (const { name, labels, read } of FAMILIES) {
      const reading = {
        snapshot: cluster.state,
        nowMs: 0,
        labelled: cluster.state.endpoints,
        unlabelledCount: 0,
        events: {
          panicCount: 0,
          addedCount: 0,
          updatedCount: 0,
          removedCount: 0,
          healthChanges: new Map(),
          ejections: new Map([['x', { detector: 'd', enforced: true, count: 1 }]]),
          circuitChanges: new Map([
            ['x', { scope: 'cluster' as const, state: 'open' as const, count: 1 }],
          ]),
        },
      };
      read(reading, (value, ...labelValues) => {
        expect(Number.isFinite(value), name).toBe(true);
        expect(labelValues, name).toHaveLength(labels.length);
      });
    }
  });

  it('tell a split, subsets that were left out, and what warms up', async () => {
    const cluster = new ScriptedCluster('users', {
      endpoints: [endpointSnapshot('a', { weightFactor: 0.25 })],
      subsetsLeftOutCount: 3,
      groups: [
        {
          name: 'version=v2 priority 0',
          subset: { version: 'v2' },
          priority: 0,
          zone: undefined,
          kind: 'healthy',
          shareRatio: 1,
          unaskedShareRatio: 0.05,
          eligibleCount: 1,
        },
      ],
    });
    const text = await createMetrics({ clusters: [cluster] }).registry.metrics();
    const samples = new Map(
      [...parseExposition(text).values()].flatMap((family) => [...family.samples]),
    );
    const group = '{cluster="users",group="version=v2 priority 0"}';
    expect(samples.get(`evenkeel_cluster_group_share_ratio${group}`)).toBe(1);
    expect(samples.get(`evenkeel_cluster_group_unasked_share_ratio${group}`)).toBe(0.05);
    expect(samples.get('evenkeel_cluster_subsets_left_out{cluster="users"}')).toBe(3);
    const endpoint = '{cluster="users",endpoint="a"}';
    expect(samples.get(`evenkeel_endpoint_weight_factor${endpoint}`)).toBe(0.25);
  });
});
