import { expect, it } from 'vitest';
import { createCluster } from '../../cluster/create-cluster.ts';
import { createLoadReport } from '../../load-report/load-report.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { createMetrics } from './metrics.ts';

it('the numbers of a policy are metrics: those that grow apart from levels', async () => {
  const cluster = createCluster(
    {
      name: 'users',
      discovery: ['10.0.0.1:80', '10.0.0.2:80'],
      policy: { name: 'orca-weighted', blackoutMs: 0 },
    },
    createManualRuntime(),
  );
  await cluster.ready();
  const lease = cluster.acquire();
  lease.report(createLoadReport({ requestsPerSecond: 10, cpuUtilization: 0.5 }));
  lease.report(createLoadReport({ memoryUtilization: 0.5 }));
  lease.finish(0);
  const text = await createMetrics({ clusters: [cluster] }).registry.metrics();
  const series = text.split('\n').filter((line) => line.startsWith('evenkeel_cluster_policy_'));
  expect(series.map((line) => line.replace('cluster="users",', '')).sort()).toEqual([
    'evenkeel_cluster_policy_events_total{stat="unusedReportCount"} 1',
    'evenkeel_cluster_policy_events_total{stat="usedReportCount"} 1',
    // As of the pick, which came before the report.
    'evenkeel_cluster_policy_level{stat="unweightedEndpoints"} 2',
    'evenkeel_cluster_policy_level{stat="weightedEndpoints"} 0',
  ]);
  await cluster.close();
});

it('a policy that keeps no numbers has no such series', async () => {
  const cluster = createCluster(
    { name: 'users', discovery: [], policy: 'random' },
    createManualRuntime(),
  );
  const text = await createMetrics({ clusters: [cluster] }).registry.metrics();
  expect(text).not.toMatch(/^evenkeel_cluster_policy_/m);
  await cluster.close();
});
