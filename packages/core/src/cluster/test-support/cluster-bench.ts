/** The parts of a cluster as tests script them, and a cluster made of them. */
import type { Resolver, ResolverListener } from '../../discovery/resolver.ts';
import type {
  ActiveHealthChecker,
  ActiveHealthListener,
  OutlierDetector,
  OutlierListener,
  TrackedEndpoint,
} from '../../health/health.ts';
import type { EndpointInput } from '../../model/endpoint.ts';
import { endpointSetOf } from '../../model/endpoint-set.ts';
import { LoadTable } from '../../model/load-table.ts';
import type { Outcome } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { BUILT_IN_POLICIES } from '../../policy/built-in.ts';
import type { PolicyOptions } from '../../policy/policy.ts';
import { PolicyRegistry } from '../../policy/registry.ts';
import type { ClusterEvent } from '../../telemetry/events.ts';
import { createManualRuntime, type ManualRuntime } from '../../testing/manual-runtime.ts';
import type { TopologyOptions } from '../../topology/config.ts';
import { BalancedCluster } from '../cluster.ts';
import { topologyOf } from './topology.ts';

/** A source that says what the test tells it to. */
export class TestResolver implements Resolver {
  listener: ResolverListener | undefined;
  closed = false;

  start(listener: ResolverListener): void {
    this.listener = listener;
  }

  refresh(): void {}

  status(): ReturnType<Resolver['status']> {
    return {
      kind: 'test',
      source: 'test',
      healthy: true,
      lastSuccessMs: 0,
      lastError: undefined,
      refreshCount: 0,
      errorCount: 0,
    };
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** Ejects and offers trials when the test says so. */
export class TestDetector implements OutlierDetector {
  readonly listener: OutlierListener;
  readonly recorded: [number, Outcome][] = [];
  trialSlot: number = NO_SLOT;

  constructor(listener: OutlierListener) {
    this.listener = listener;
  }

  update(): void {}

  record(slot: number, outcome: Outcome): void {
    this.recorded.push([slot, outcome]);
  }

  onActiveHealth(): void {}

  takeTrial(): number {
    const slot = this.trialSlot;
    this.trialSlot = NO_SLOT;
    return slot;
  }

  status(): undefined {
    return undefined;
  }

  close(): void {}
}

/** Checks nobody; says of endpoints what the test says. */
export class TestChecker implements ActiveHealthChecker {
  readonly listener: ActiveHealthListener;
  checked: readonly TrackedEndpoint[] = [];

  constructor(listener: ActiveHealthListener) {
    this.listener = listener;
  }

  update(endpoints: readonly TrackedEndpoint[]): void {
    this.checked = [...endpoints];
  }

  status(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface ClusterBenchOptions {
  readonly policy?: PolicyOptions;
  readonly topology?: TopologyOptions;
  readonly waitsForFirstCheck?: boolean;
  /** Of everything random in the cluster; clients of one fleet need different ones. Default 1. */
  readonly seed?: number;
}

/** A cluster whose discovery, checks and ejections are in the hands of a test. */
export interface ClusterBench {
  readonly cluster: BalancedCluster;
  readonly runtime: ManualRuntime;
  readonly detector: TestDetector;
  readonly checker: TestChecker;
  readonly events: ClusterEvent[];
  deliver(...inputs: readonly EndpointInput[]): void;
  eject(slot: number): void;
  /** An active check gives a verdict. */
  check(slot: number, healthy: boolean, degraded?: boolean): void;
}

export function clusterBench(options: ClusterBenchOptions = {}): ClusterBench {
  const { policy = 'random', topology, waitsForFirstCheck = false, seed = 1 } = options;
  const runtime = createManualRuntime({ seed });
  const load = new LoadTable();
  const registry = new PolicyRegistry(BUILT_IN_POLICIES);
  const decoded = registry.decode(policy);
  const resolver = new TestResolver();
  const made: { detector?: TestDetector; checker?: TestChecker } = {};
  const cluster = new BalancedCluster({
    name: 'users',
    runtime,
    load,
    policyName: decoded.policy.name,
    balancer: registry.create(decoded, { load, random: runtime.random }),
    keyed: decoded.policy.keyed,
    topology: topologyOf(topology),
    hashKeySource: undefined,
    panicThresholdPercent: 50,
    drainTimeoutMs: 1_000,
    waitsForFirstCheck,
    createChecker: (listener) => (made.checker = new TestChecker(listener)),
    createDetector: (listener) => (made.detector = new TestDetector(listener)),
    createResolver: () => resolver,
  });
  const events: ClusterEvent[] = [];
  cluster.subscribe((event) => events.push(event));
  const detector = made.detector as TestDetector;
  const checker = made.checker as TestChecker;
  return {
    cluster,
    runtime,
    detector,
    checker,
    events,
    deliver: (...inputs) => resolver.listener?.onEndpoints(endpointSetOf(inputs)),
    eject: (slot) => {
      const ejection = { reason: 'because', durationMs: 1_000, count: 1 };
      detector.listener.onEject(slot, { detector: 'consecutive-failures', ...ejection });
      runtime.scheduler.advance(0);
    },
    check: (slot, healthy, degraded = false) => {
      checker.listener.onActiveHealth(slot, { healthy, degraded, reason: 'checked' });
      runtime.scheduler.advance(0);
    },
  };
}
