/** A cluster with an admission, in the hands of a test. */
import { PickError } from '../../error/pick-error.ts';
import { endpointSetOf } from '../../model/endpoint-set.ts';
import { Outcome } from '../../model/outcome.ts';
import type { AdmissionOptions } from '../../resilience/admission-config.ts';
import { AdmissionError } from '../../resilience/admission-error.ts';
import { createCircuitBreakers } from '../../resilience/circuit-breaker/create-circuit-breakers.ts';
import type { Criticality } from '../../resilience/load-shedder.ts';
import type { ClusterEvent } from '../../telemetry/events.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import { createCluster } from '../create-cluster.ts';
import type { Cluster } from '../face.ts';
import { TestResolver } from './cluster-bench.ts';

export interface AdmissionBench {
  readonly cluster: Cluster;
  readonly runtime: ManualRuntime;
  readonly events: ClusterEvent[];
  deliver(...ids: readonly string[]): void;
  /** A request that takes a millisecond. */
  request(outcome: Outcome, criticality?: Criticality): void;
  /** Lets timers run, and publications happen. */
  advance(ms: number): void;
  /** Why a request is refused now; undefined when it is not. Undone at once. */
  refusal(criticality?: Criticality): string | undefined;
}

export interface AdmissionBenchOptions {
  readonly ids?: readonly string[];
  readonly policy?: string;
}

const open: Cluster[] = [];

/** Closes the clusters of a test. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((cluster) => cluster.close()));
}

/** A cluster with the options of a test, under the manual clock. Close with {@link closeAll}. */
export function admissionBench(
  admission: AdmissionOptions | undefined,
  { ids = ['a', 'b', 'c'], policy = 'round-robin' }: AdmissionBenchOptions = {},
): AdmissionBench {
  const runtime = createManualRuntime({ seed: 7 });
  const resolver = new TestResolver();
  const cluster = createCluster(
    { name: 'users', discovery: { kind: 'test', create: () => resolver }, policy, admission },
    { ...runtime, createCircuitBreakers },
  );
  open.push(cluster);
  const events: ClusterEvent[] = [];
  cluster.subscribe((event) => events.push(event));
  const deliver = (...next: readonly string[]): void =>
    resolver.listener?.onEndpoints(
      endpointSetOf(next.map((id) => ({ address: `10.0.0.${id.charCodeAt(0)}:80`, id }))),
    );
  deliver(...ids);
  runtime.scheduler.advance(1_000);
  return {
    cluster,
    runtime,
    events,
    deliver,
    request(outcome, criticality) {
      const lease = cluster.acquire(undefined, criticality);
      runtime.scheduler.advance(1);
      lease.finish(outcome);
    },
    advance: (ms) => runtime.scheduler.advance(ms),
    refusal(criticality) {
      try {
        cluster.acquire(undefined, criticality).finish(Outcome.cancelled);
        return undefined;
      } catch (error) {
        if (error instanceof AdmissionError) return error.reason;
        if (error instanceof PickError) return error.failure;
        throw error;
      }
    },
  };
}

/** What the action throws. */
export const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

/** Everything that has to be 0 when nothing is under way. */
export const activeCounts = (cluster: Cluster): unknown => {
  const { admission, endpoints, totals } = cluster.snapshot();
  return {
    requests: admission?.activeCount,
    thresholds: Object.values(admission?.thresholds ?? {}).map(({ activeCount }) => activeCount),
    concurrency: admission?.concurrency?.activeCount ?? 0,
    endpoints: endpoints.map((endpoint) => endpoint.admission?.activeCount ?? 0),
    tries: totals.activeCount,
  };
};
