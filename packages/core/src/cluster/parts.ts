import type { Resolver } from '../discovery/resolver.ts';
import type {
  ActiveHealthChecker,
  ActiveHealthListener,
  OutlierDetector,
  OutlierListener,
} from '../health/health.ts';
import type { HashKeySource } from '../model/hash-key-source.ts';
import type { LoadTable } from '../model/load-table.ts';
import type { Balancer } from '../policy/policy.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { AdmissionFactory } from './admission/create-admission.ts';
import type { TopologyConfig } from '../topology/config.ts';

/** What a cluster is composed of, each part built and checked before: `createCluster` makes them from options. */
export interface ClusterParts {
  readonly name: string;
  readonly runtime: Runtime;
  readonly load: LoadTable;
  readonly policyName: string;
  readonly balancer: Balancer;
  readonly hashKeySource: HashKeySource | undefined;
  /** Does the policy go by keys? */
  readonly keyed: boolean;
  readonly topology: TopologyConfig;
  readonly panicThresholdPercent: number;
  readonly drainTimeoutMs: number;
  /** Are new endpoints kept out until an active check has passed? */
  readonly waitsForFirstCheck: boolean;
  readonly createChecker: ((listener: ActiveHealthListener) => ActiveHealthChecker) | undefined;
  readonly createDetector: ((listener: OutlierListener) => OutlierDetector) | undefined;
  /** Undefined: the cluster refuses nothing. */
  readonly createAdmission?: AdmissionFactory | undefined;
  readonly createResolver: () => Resolver;
}
