import { describe, expect, it } from 'vitest';
import { createCluster } from '../../cluster/create-cluster.ts';
import { Outcome } from '../../model/outcome.ts';
import type { ClusterEvent } from '../../telemetry/events.ts';
import { createMetrics } from '../../telemetry/metrics/metrics.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import type { OutlierDetectionOptions } from './config.ts';

/** A cluster of five, the first of which fails 60 of 120 requests, never two in a row. */
function setUp(outlierDetection: OutlierDetectionOptions) {
  const runtime = createManualRuntime();
  const discovery = [1, 2, 3, 4, 5].map((last) => `10.0.0.${last}:80`);
  const cluster = createCluster({ name: 'users', discovery, outlierDetection }, runtime);
  const metrics = createMetrics({ clusters: [cluster] });
  const events: ClusterEvent[] = [];
  cluster.subscribe((event) => void events.push(event));
  for (let slot = 0; slot < 5; slot++) {
    for (let i = 0; i < 120; i++) {
      cluster.start(slot);
      const failed = slot === 0 && i % 2 === 0;
      cluster.finish(slot, failed ? Outcome.serverError : Outcome.success, 1);
    }
  }
  runtime.scheduler.advance(10_001);
  return {
    events,
    status: () => cluster.snapshot().endpoints[0]?.outlier,
    exposed: () => metrics.registry.metrics(),
  };
}

describe('what outlier detection tells', () => {
  it('of an ejection', async () => {
    const { events, status, exposed } = setUp({ jitterRatio: 0 });
    const reason = 'success rate 50.0 % of 120 requests, below 52.0 % (mean of the members 90.0 %)';
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'endpoint-ejected',
        detector: 'success-rate',
        reason,
        durationMs: 10_000,
      }),
    );
    expect(status()).toMatchObject({ ejected: true, skippedCount: 0, ejection: { reason } });
    expect(await exposed()).toContain(
      'evenkeel_cluster_ejections_total{cluster="users",detector="success-rate",enforced="true"} 1',
    );
  });

  it('of one that is not enforced', async () => {
    const { events, status, exposed } = setUp({ enforcingPercent: { successRate: 0 } });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'ejection-skipped',
        detector: 'success-rate',
        skippedBecause: 'not-enforced',
      }),
    );
    expect(status()).toMatchObject({
      ejected: false,
      skippedCount: 1,
      lastInterval: { successCount: 60, failureCount: 60 },
    });
    expect(await exposed()).toContain(
      'evenkeel_cluster_ejections_total{cluster="users",detector="success-rate",enforced="false"} 1',
    );
  });
});
