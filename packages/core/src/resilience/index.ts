/**
 * `@evenkeel/core/resilience`: deadlines, retries, hedging and admission as building blocks. Pure: time comes in with
 * every call, randomness through a port, and nothing knows a transport. Circuit breakers are at
 * `@evenkeel/core/opossum`, because they need that package.
 */

// Deadlines
export { DeadlinePolicy, NO_DEADLINE, remainingMs } from './deadline.ts';
export {
  type DeadlineConfig,
  type DeadlineOptions,
  deadlineSchema,
  MAX_TIMEOUT_MS,
} from './deadline-config.ts';
export {
  decodeGrpcTimeout,
  decodeTimeout,
  encodeGrpcTimeout,
  encodeTimeout,
  GRPC_TIMEOUT_HEADER,
  type HeaderValue,
  TIMEOUT_HEADER,
} from './timeout-header.ts';

// Retries
export { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';
export {
  type FinishedTry,
  RETRY_VERDICTS,
  type RetryableRequest,
  RetryPolicy,
  type RetryPorts,
  RetrySequence,
  type RetryVerdict,
} from './retry-policy.ts';
export {
  type RetryableOutcome,
  type RetryConfig,
  type RetryPolicyOptions,
  retrySchema,
} from './retry-config.ts';
export { IDEMPOTENT_METHODS, isIdempotentMethod } from './idempotency.ts';
export { GrpcCode, outcomeOfGrpcCode } from './grpc-code.ts';
export { parseHttpDate } from './http-date.ts';
export { grpcPushbackMs, MAX_RETRY_AFTER_MS, NEVER_RETRY, retryAfterMs } from './retry-after.ts';

// Hedging
export {
  HedgePolicy,
  type HedgeableRequest,
  type HedgePorts,
  type HedgeVerdict,
  NO_HEDGE,
} from './hedge-policy.ts';
export { type HedgeConfig, type HedgeOptions, hedgeSchema } from './hedge-config.ts';
export { HedgeRace, LOSER_OUTCOME, type RaceVerdict } from './hedge-race.ts';
export { LatencyQuantile } from './latency-quantile.ts';

// Admission
export type { Admission } from './admission.ts';
export {
  type AdmissionConfig,
  type AdmissionOptions,
  admissionSchema,
  type ClusterCircuitOptions,
} from './admission-config.ts';
export type {
  AdmissionSnapshot,
  EndpointAdmissionSnapshot,
  LimitSnapshot,
  TryRefusalReason,
} from './admission-snapshot.ts';
export type { Circuit, CircuitBreakersFactory, CircuitSnapshot, CircuitSource } from './circuit.ts';
export type { CircuitConfig, CircuitOptions } from './circuit-breaker-config.ts';
export { AdmissionError, type AdmissionDetails, type AdmissionReason } from './admission-error.ts';
export {
  Threshold,
  type ThresholdConfig,
  type ThresholdOptions,
  Thresholds,
  thresholdSchema,
} from './thresholds.ts';
export { ConcurrencyLimiter, type LimiterPorts } from './concurrency/limiter.ts';
export {
  type ClusterConcurrencyConfig,
  type ClusterConcurrencyOptions,
  type ConcurrencyConfig,
  type ConcurrencyOptions,
  concurrencySchema,
  type ConcurrencyScope,
} from './concurrency/config.ts';
export type { LimitAlgorithm, LimitBounds } from './concurrency/limit-algorithm.ts';
export { type AimdConfig, AimdLimit } from './concurrency/aimd.ts';
export { type Gradient2Config, Gradient2Limit } from './concurrency/gradient2.ts';
export { type VegasConfig, VegasLimit } from './concurrency/vegas.ts';
export {
  ClientThrottle,
  type ClientThrottleConfig,
  type ClientThrottleOptions,
  type ClientThrottlePorts,
  clientThrottleSchema,
  isAccepted,
} from './client-throttle.ts';
export {
  type RateLimitConfig,
  RateLimiter,
  type RateLimitOptions,
  rateLimitSchema,
} from './rate-limiter.ts';
export { KeyedRateLimiter } from './keyed-rate-limiter.ts';
export {
  type RateLimitHeaders,
  rateLimitHeaders,
  type RateLimitState,
  retryAfterSeconds,
} from './rate-limit-headers.ts';
export {
  CRITICALITY_NAMES,
  Criticality,
  type CriticalityName,
  LoadShedder,
  type LoadSheddingConfig,
  type LoadSheddingOptions,
  loadSheddingSchema,
  type LoadSigns,
  utilisationOf,
} from './load-shedder.ts';
