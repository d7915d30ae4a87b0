import type { Cluster } from '../../cluster/face.ts';
import { createCluster } from '../../cluster/create-cluster.ts';
import type { ClusterOptions } from '../../config/cluster-config.ts';
import type { Discovery, ResolverListener } from '../../discovery/resolver.ts';
import type { EndpointInput } from '../../model/endpoint.ts';
import { endpointSetOf } from '../../model/endpoint-set.ts';
import { Outcome } from '../../model/outcome.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';

export interface ScriptedCluster {
  readonly cluster: Cluster;
  readonly runtime: ManualRuntime;
  /** Discovery now lists these. */
  list(...endpoints: readonly EndpointInput[]): void;
  slotOf(id: string): number;
  /** Five requests in a row fail, as outlier detection wants it, and the news is published. */
  eject(slot: number): void;
}

/** A real cluster in virtual time whose endpoints the test lists. */
export function scriptedCluster(
  endpoints: readonly EndpointInput[],
  options: Partial<Omit<ClusterOptions, 'discovery'>> = {},
): ScriptedCluster {
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
        lastSuccessMs: 0,
        lastError: undefined,
        refreshCount: 0,
        errorCount: 0,
      }),
      close: () => Promise.resolve(),
    }),
  };
  const runtime = createManualRuntime();
  const cluster = createCluster(
    { name: 'users', policy: 'round-robin', ...options, discovery },
    runtime,
  );
  const list = (...listed: readonly EndpointInput[]): void =>
    listener?.onEndpoints(endpointSetOf(listed));
  list(...endpoints);
  return {
    cluster,
    runtime,
    list,
    slotOf: (id) => cluster.snapshot().endpoints.find((one) => one.id === id)?.slot ?? -1,
    eject: (slot) => {
      for (let i = 0; i < 5; i++) {
        cluster.start(slot);
        cluster.finish(slot, Outcome.serverError, 1);
      }
      runtime.scheduler.advance(1);
    },
  };
}

/** `name=value` of a Set-Cookie header: what a browser sends back. */
export function pairOf(setCookie: string | undefined): string {
  return setCookie?.split(';')[0] ?? '';
}
