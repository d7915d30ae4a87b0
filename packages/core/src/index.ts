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
  GroupSnapshot,
  LatencySnapshot,
  Lease,
  PathStep,
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

// Topology
export type {
  ApertureOptions,
  LocalityOptions,
  LocalityWeight,
  PeersOptions,
  SlowStartOptions,
  SplitConfig,
  SplitSide,
  SubsetSelectorOptions,
  SubsetsOptions,
  TopologyOptions,
  ZoneAwareOptions,
} from './topology/config.ts';
export type { PeerCluster, PeerCount, PeerEndpoint } from './topology/peers.ts';

// Admission
export type { Admission } from './resilience/admission.ts';
export type { AdmissionOptions, ClusterCircuitOptions } from './resilience/admission-config.ts';
export { AdmissionError, type AdmissionReason } from './resilience/admission-error.ts';
export type {
  AdmissionSnapshot,
  EndpointAdmissionSnapshot,
  LimitSnapshot,
  TryRefusalReason,
} from './resilience/admission-snapshot.ts';
export type { CircuitBreakersFactory, CircuitSnapshot } from './resilience/circuit.ts';
export { Criticality, type CriticalityName } from './resilience/load-shedder.ts';

// Affinity
export type { CookieAffinityOptions } from './affinity/config.ts';
export {
  type AffinityExplanation,
  type AffinityVisit,
  type AffinityVisitStatus,
  type CookieAffinity,
  type CookieAffinityStats,
  createCookieAffinity,
} from './affinity/cookie-affinity.ts';
export { hashKeyOf } from './affinity/hash-key.ts';
export { cookieValue } from './affinity/request-parts.ts';
export {
  type AffinityCluster,
  type AffinityPreference,
  pickWithAffinity,
} from './affinity/pick-with-affinity.ts';

// Discovery
export { fallback, type FallbackOptions } from './discovery/compose/fallback.ts';
export { merge } from './discovery/compose/merge.ts';
export type { DiscoveryConfig } from './discovery/config.ts';
export type { DiscoverySource } from './discovery/discovery-source.ts';
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
  WatchStatus,
} from './discovery/resolver.ts';
export { staticEndpoints } from './discovery/static/static-endpoints.ts';

// Registration
export type { RegisterOptions } from './registration/config.ts';
export {
  REGISTRATION_EVENT_CHANNEL,
  type RegistrationEvent,
  type RegistrationEventListener,
} from './registration/events.ts';
export { findOwnAddress, type RegistryPlace } from './registration/own-address.ts';
export { register } from './registration/register.ts';
export type {
  Announcement,
  HealthReport,
  InstanceHealth,
  Registrar,
  Registration,
  RegistrationStatus,
  Registry,
} from './registration/registration.ts';

// Policies
export { hashKeySourceSchema } from './policy/hash-key.ts';
export {
  type Balancer,
  type CandidateExplanation,
  type ChildBalancer,
  definePolicy,
  type Picker,
  type Policy,
  type PolicyEnvironment,
  type PolicyOptions,
  type PolicyStats,
} from './policy/policy.ts';
export type {
  ProbeConfig,
  ProbeFailure,
  ProbeListener,
  Prober,
  ProberFactory,
} from './policy/probing.ts';
export {
  createPolicy,
  type StandaloneOptions,
  type StandalonePolicy,
} from './policy/standalone.ts';

// Load reports
export type { LoadReport, NamedValues, ProbeAnswer } from './load-report/load-report.ts';

// The model
export type { CircuitReason, CircuitState } from './model/circuit-state.ts';
export type { Address } from './model/address.ts';
export {
  createEndpoint,
  type Endpoint,
  type EndpointFields,
  type EndpointInput,
} from './model/endpoint.ts';
export { createEndpointSet, type EndpointSet, endpointSetOf } from './model/endpoint-set.ts';
export type { HashKeyFunction, HashKeyRequest, HashKeySource } from './model/hash-key-source.ts';
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
export { isSecretKey, REDACTED, redactText } from './error/redact.ts';
export { type ErrorCode, EvenkeelError, isEvenkeelError } from './error/evenkeel-error.ts';
export { PickError, type PickFailure } from './error/pick-error.ts';

// Events
export { type ClusterEvent, type ClusterEventListener, EVENT_CHANNEL } from './telemetry/events.ts';

// Ports
export type { Clock } from './runtime/clock.ts';
export type { Logger } from './runtime/logger.ts';
export { createRandom, type Random } from './runtime/random.ts';
export { createRuntime, type Runtime } from './runtime/runtime.ts';
export type { Scheduler, Timer } from './runtime/scheduler.ts';
