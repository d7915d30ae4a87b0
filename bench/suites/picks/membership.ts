import {
  type Balancer,
  type Cluster,
  createCluster,
  createEndpoint,
  createEndpointSet,
  createPolicy,
  createRandom,
  definePolicy,
  type EndpointSet,
  type Members,
  Outcome,
  type Picker,
  type PolicyOptions,
  type ResolverListener,
} from '@evenkeel/core';
import { addresses } from './contenders.ts';
import { cpuTimeOf } from './cpu-time.ts';

/** Microseconds that a policy needs for new members when one of `count` endpoints is replaced. */
export function policyUpdate(options: PolicyOptions, count: number): () => number {
  const { balancer, members, picker } = tapped(options, count);
  const spare = createEndpoint('10.200.0.1:8080');
  const changed: Members = {
    ...members,
    endpoints: members.endpoints.with(count >> 1, spare),
  };
  let earlier = picker;
  let even = false;
  return () => {
    even = !even;
    const update = (): void => {
      earlier = balancer.update(even ? changed : members, earlier);
    };
    return cpuTimeOf(update) * 1_000;
  };
}

interface Tap {
  readonly balancer: Balancer;
  readonly members: Members;
  readonly picker: Picker;
}

/** The live balancer behind a policy, with the members that it was given. */
function tapped(options: PolicyOptions, count: number): Tap {
  let tap: Tap | undefined;
  const policy = definePolicy({
    name: 'tap',
    keyed: false,
    create: (_config, environment) => {
      const { balancer } = environment.createChild(options);
      return {
        update: (members) => {
          const picker = balancer.update(members);
          tap = { balancer, members, picker };
          return picker;
        },
      };
    },
  });
  createPolicy('tap', {
    endpoints: addresses(count),
    policies: [policy],
    random: createRandom(1),
  });
  if (tap === undefined) throw new Error('the policy was not given any members');
  return tap;
}

/** A cluster whose endpoints the benchmark hands over. */
export function drivenCluster(
  policy: PolicyOptions,
  count: number,
): { readonly cluster: Cluster; readonly apply: (set: EndpointSet) => void } {
  let listener: ResolverListener | undefined;
  const cluster = createCluster({
    name: 'bench',
    policy,
    discovery: {
      kind: 'driven',
      create: () => ({
        start: (given) => (listener = given),
        refresh: () => undefined,
        status: () => ({
          kind: 'driven',
          source: 'bench',
          healthy: true,
          lastSuccessMs: 0,
          lastError: undefined,
          refreshCount: 0,
          errorCount: 0,
        }),
        close: () => Promise.resolve(),
      }),
    },
  });
  const apply = (set: EndpointSet): void => listener?.onEndpoints(set);
  apply(setOf(addresses(count)));
  return { cluster, apply };
}

/** Milliseconds until a cluster of `count` has published a set in which one endpoint was replaced. */
export function clusterUpdate(policy: PolicyOptions, count: number): () => number {
  const { apply } = drivenCluster(policy, count);
  const sets = [setOf(addresses(count)), setOf(addresses(count - 1).concat('10.200.0.1:8080'))];
  let turn = 0;
  return () => {
    const set = sets[++turn % 2] as EndpointSet;
    return cpuTimeOf(() => apply(set));
  };
}

/** Acquire and finish a lease on the real clock. */
export function acquireLoop(count: number): (iterations: number) => number {
  const { cluster } = drivenCluster('peak-ewma', count);
  return (iterations) => {
    let checksum = 0;
    for (let i = 0; i < iterations; i++) {
      const lease = cluster.acquire();
      checksum += lease.slot;
      lease.finish(Outcome.success);
    }
    return checksum;
  };
}

/** What a cluster asks before a request: nothing but counts, or all that it can ask but circuits. */
export function admissionLoop(gates: 'thresholds' | 'all'): (iterations: number) => number {
  const thresholds = { requests: 100_000 };
  const cluster = createCluster({
    name: 'bench',
    discovery: ['127.0.0.1:80'],
    admission:
      gates === 'thresholds'
        ? { thresholds }
        : {
            thresholds,
            loadShedding: {},
            clientThrottle: {},
            concurrency: { per: 'cluster', initialLimit: 1_000 },
            rateLimit: { requestsPerSecond: 100_000_000 },
          },
  });
  const { admission } = cluster;
  if (admission === undefined) throw new Error('no admission');
  let nowMs = cluster.nowMs();
  return (iterations) => {
    let refused = 0;
    for (let i = 0; i < iterations; i++) {
      nowMs += 0.01;
      if (admission.admit(nowMs) === undefined) admission.complete(Outcome.success, 20, nowMs);
      else refused++;
    }
    return refused;
  };
}

/** One look at the real clock. */
export function clockLoop(): (iterations: number) => number {
  const { cluster } = drivenCluster('round-robin', 1);
  return (iterations) => {
    let checksum = 0;
    for (let i = 0; i < iterations; i++) checksum += cluster.nowMs();
    return checksum;
  };
}

/** Memory that a cluster with the default policy holds per endpoint: model, slots, statistics, picker. Needs --expose-gc. */
export function bytesPerEndpoint(count: number): () => number {
  const kept: unknown[] = [];
  return () => {
    kept.length = 0;
    const before = memoryInUse();
    kept.push(drivenCluster('peak-ewma', count));
    return (memoryInUse() - before) / count;
  };
}

function memoryInUse(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function setOf(list: readonly string[]): EndpointSet {
  return createEndpointSet(list.map((address) => createEndpoint(address)));
}
