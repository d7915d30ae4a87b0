/**
 * `@evenkeel/core`: the balancing brain. Transports, metrics and algorithms are entries of their own, so that a program
 * loads only what it uses.
 */

// The cluster
export { type ClusterPorts, createCluster } from './cluster/create-cluster.ts';
export type {
  Cluster,
  ClusterSnapshot,
  EndpointSnapshot,
  ExplainedCandidate,
  LatencySnapshot,
  Lease,
  PickExplanation,
  RequestTotals,
} from './cluster/face.ts';
export type { ClusterOptions, DrainOptions, PanicOptions } from './config/cluster-config.ts';
export { type ClusterFileOptions, decodeClusterFile } from './config/cluster-file.ts';
export {
  clusterJsonSchema,
  type JsonSchema,
  type JsonSchemaOptions,
} from './config/json-schema.ts';

// Discovery
export { fallback, type FallbackOptions } from './discovery/compose/fallback.ts';
export { merge } from './discovery/compose/merge.ts';
export type { DiscoveryConfig } from './discovery/config.ts';
export type { DnsOptions } from './discovery/dns/config.ts';
export { dns } from './discovery/dns/dns.ts';
export type { FileOptions } from './discovery/file/config.ts';
export { file } from './discovery/file/file.ts';
export type {
  Discovery,
  DiscoveryEnvironment,
  Resolver,
  ResolverListener,
  ResolverStatus,
} from './discovery/resolver.ts';
export { staticEndpoints } from './discovery/static/static-endpoints.ts';

// Policies
export {
  type Balancer,
  type CandidateExplanation,
  type ChildBalancer,
  definePolicy,
  type Picker,
  type Policy,
  type PolicyEnvironment,
  type PolicyOptions,
} from './policy/policy.ts';
export {
  createPolicy,
  type StandaloneOptions,
  type StandalonePolicy,
} from './policy/standalone.ts';

// The model
export type { Address } from './model/address.ts';
export {
  createEndpoint,
  type Endpoint,
  type EndpointFields,
  type EndpointInput,
} from './model/endpoint.ts';
export { createEndpointSet, type EndpointSet, endpointSetOf } from './model/endpoint-set.ts';
export type { HashKeySource } from './model/hash-key-source.ts';
export type { HealthState } from './model/health-state.ts';
export {
  type Allocate,
  type Column,
  LoadTable,
  type LoadTableOptions,
} from './model/load-table.ts';
export type { Locality } from './model/locality.ts';
export type { Members } from './model/members.ts';
export {
  isFailure,
  Outcome,
  type OutcomeName,
  outcomeOfStatus,
  RESPONDED,
} from './model/outcome.ts';
export { isExcluded, NO_SLOT, type PickContext } from './model/pick-context.ts';

// Errors
export { ConfigError, type ConfigIssue } from './error/config-error.ts';
export { type ErrorCode, EvenkeelError, isEvenkeelError } from './error/evenkeel-error.ts';
export { PickError, type PickFailure } from './error/pick-error.ts';

// Events
export { type ClusterEvent, type ClusterEventListener, EVENT_CHANNEL } from './telemetry/events.ts';

// Ports
export type { Clock } from './runtime/clock.ts';
export type { Logger } from './runtime/logger.ts';
export { createRandom, type Random } from './runtime/random.ts';
export type { Runtime } from './runtime/runtime.ts';
export type { Scheduler, Timer } from './runtime/scheduler.ts';
