import {
  type ClusterConfig,
  type ClusterOptions,
  decodeClusterOptions,
} from '../config/cluster-config.ts';
import type { DiscoverySource } from '../discovery/discovery-source.ts';
import type { CircuitBreakersFactory } from '../resilience/circuit.ts';
import { createActiveHealthChecker } from '../health/active/checker.ts';
import type { ActiveHealthConfig } from '../health/active/config.ts';
import type {
  ActiveHealthChecker,
  ActiveHealthListener,
  HealthEnvironment,
} from '../health/health.ts';
import { createOutlierDetector } from '../health/outlier-detection/detector.ts';
import { LoadTable } from '../model/load-table.ts';
import { BUILT_IN_POLICIES } from '../policy/built-in.ts';
import { hashKeySourceOf } from '../policy/hash-key.ts';
import type { Policy } from '../policy/policy.ts';
import type { ProberFactory } from '../policy/probing.ts';
import { type DecodedPolicy, PolicyRegistry } from '../policy/registry.ts';
import { createHttpProber } from '../probing/http-prober.ts';
import { createRuntime, type Runtime } from '../runtime/runtime.ts';
import { admissionFactory } from './admission/create-admission.ts';
import { BalancedCluster } from './cluster.ts';
import type { ClusterParts } from './parts.ts';
import type { Cluster } from './face.ts';

/** What a cluster works with besides its options; all of it is optional. */
export interface ClusterPorts extends Partial<Runtime> {
  /** Policies of one's own, which options may then name. A built-in policy of the same name is replaced. */
  readonly policies?: readonly Policy[] | undefined;
  /** Sources of endpoints from other entries, which data at `discovery` may then name: `[consulSource]`. */
  readonly sources?: readonly DiscoverySource[] | undefined;
  /** Makes what asks endpoints for their load, for policies that do. Default: HTTP. */
  readonly createProber?: ProberFactory | undefined;
  /** Makes the active checks that `health` asks for. Default: real ones. The simulator has servers of its own to ask. */
  readonly createChecker?: ActiveHealthCheckerFactory | undefined;
  /** Makes the circuit breakers of `admission.circuitBreaker`: `createCircuitBreakers` of `@evenkeel/core/opossum`. */
  readonly createCircuitBreakers?: CircuitBreakersFactory | undefined;
}

/** Makes the active checks of a cluster. */
export type ActiveHealthCheckerFactory = (
  config: ActiveHealthConfig,
  environment: HealthEnvironment,
  listener: ActiveHealthListener,
) => ActiveHealthChecker;

/**
 * Starts a cluster: discovery and health checks begin at once. Close it to stop them; nothing of it keeps the process
 * alive.
 *
 * @throws ConfigError naming the path, what is expected there and what was found; nothing is started then
 */
export function createCluster(options: ClusterOptions, ports: ClusterPorts = {}): Cluster {
  const config = decodeClusterOptions(options, '', ports.sources);
  const registry = new PolicyRegistry([...BUILT_IN_POLICIES, ...(ports.policies ?? [])]);
  const policy = registry.decode(config.policy);
  const runtime = createRuntime(ports);
  const environment = { cluster: config.name, runtime };
  const load = new LoadTable();
  return new BalancedCluster({
    name: config.name,
    runtime,
    load,
    policyName: policy.policy.name,
    balancer: registry.create(policy, {
      load,
      random: runtime.random,
      createProber: ports.createProber ?? ((probe) => createHttpProber(probe, runtime)),
    }),
    keyed: policy.policy.keyed,
    topology: config.topology,
    hashKeySource: hashKeySourceOf(policy.config) ?? config.topology.split?.hashKey,
    panicThresholdPercent: config.panic.thresholdPercent,
    drainTimeoutMs: config.drain.timeoutMs,
    waitsForFirstCheck: config.health?.initial === 'unchecked',
    createChecker: checkerFactory(config, environment, ports.createChecker),
    createDetector: detectorFactory(config, policy, environment),
    createAdmission: admissionFactory(config.admission, {
      ...environment,
      createCircuitBreakers: ports.createCircuitBreakers,
    }),
    createResolver: () => config.discovery.create(environment),
  });
}

interface Environment {
  readonly cluster: string;
  readonly runtime: Runtime;
}

function checkerFactory(
  config: ClusterConfig,
  environment: Environment,
  create: ActiveHealthCheckerFactory = createActiveHealthChecker,
): ClusterParts['createChecker'] {
  const { health } = config;
  return health && ((listener) => create(health, environment, listener));
}

function detectorFactory(
  config: ClusterConfig,
  policy: DecodedPolicy,
  environment: Environment,
): ClusterParts['createDetector'] {
  const { outlierDetection } = config;
  if (outlierDetection === false) return undefined;
  // A trial would send a key to a stranger; a keyed policy lets the endpoint back in and watches it instead.
  const returnBy = outlierDetection.returnBy ?? (policy.policy.keyed ? 'time' : 'trial');
  return (listener) =>
    createOutlierDetector({ ...outlierDetection, returnBy }, environment, listener);
}
