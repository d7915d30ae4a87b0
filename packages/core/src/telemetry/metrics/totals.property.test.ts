import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCluster } from '../../cluster/create-cluster.ts';
import type { Lease } from '../../cluster/face.ts';
import type { Discovery, ResolverListener } from '../../discovery/resolver.ts';
import { endpointSetOf } from '../../model/endpoint-set.ts';
import { Outcome } from '../../model/outcome.ts';
import { createManualRuntime } from '../../testing/manual-runtime.ts';
import { createMetrics } from './metrics.ts';
import { samplesOf } from './test-support/exposition.ts';

const SEED = 20_305;
const DRAIN_MS = 1_000;

type Step =
  | { readonly type: 'list'; readonly members: readonly number[] }
  | { readonly type: 'start' }
  | { readonly type: 'finish'; readonly which: number; readonly outcome: Outcome }
  | { readonly type: 'wait'; readonly ms: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('list' as const),
    members: fc.uniqueArray(fc.integer({ min: 1, max: 5 })),
  }),
  fc.record({ type: fc.constant('start' as const) }),
  fc.record({
    type: fc.constant('finish' as const),
    which: fc.nat(),
    outcome: fc.constantFrom(...Object.values(Outcome)),
  }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 2 * DRAIN_MS }) }),
);

describe('cluster_requests_total', () => {
  it('counts every request that ended exactly once and never falls, however members come and go', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 40 }), async (script) => {
        const runtime = createManualRuntime({ seed: SEED });
        let listener: ResolverListener | undefined;
        const discovery: Discovery = {
          kind: 'scripted',
          create: () => ({
            start: (given) => void (listener = given),
            refresh: () => undefined,
            status: () => ({
              kind: 'scripted',
              source: 'test',
              healthy: true,
              lastSuccessMs: undefined,
              lastError: undefined,
              refreshCount: 0,
              errorCount: 0,
            }),
            close: () => Promise.resolve(),
          }),
        };
        const cluster = createCluster(
          { name: 'users', discovery, policy: 'random', drain: { timeoutMs: DRAIN_MS } },
          runtime,
        );
        const metrics = createMetrics({ clusters: [cluster] });
        const leases: Lease[] = [];
        let started = 0;
        let finished = 0;
        let last = 0;
        for (const step of script) {
          switch (step.type) {
            case 'list':
              listener?.onEndpoints(
                endpointSetOf(step.members.map((number) => `10.0.0.${number}:80`)),
              );
              break;
            case 'start':
              if (cluster.pick() >= 0) {
                leases.push(cluster.acquire());
                started++;
              }
              break;
            case 'finish': {
              const [lease] = leases.splice(step.which % Math.max(1, leases.length), 1);
              lease?.finish(step.outcome);
              if (lease !== undefined) finished++;
              break;
            }
            case 'wait':
              runtime.scheduler.advance(step.ms);
              break;
          }
          const samples = samplesOf(await metrics.registry.metrics());
          const total = [...samples]
            .filter(([key]) => key.startsWith('evenkeel_cluster_requests_total'))
            .reduce((sum, [, value]) => sum + value, 0);
          expect(total).toBe(finished);
          expect(total).toBeGreaterThanOrEqual(last);
          last = total;
          expect(samples.get('evenkeel_cluster_requests_active{cluster="users"}')).toBe(
            started - finished,
          );
        }
        metrics.close();
        await cluster.close();
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});
