/** Circuit breakers: needs the package `opossum`. */
export { CircuitBreakers, type CircuitBreakersOptions } from './breaker-set.ts';
export type { BucketClock } from './bucket-clock.ts';
export {
  CircuitBreaker,
  type CircuitEvent,
  type CircuitListener,
  type CircuitPorts,
  type CircuitReason,
  type CircuitSnapshot,
  type CircuitState,
} from './circuit-breaker.ts';
export {
  type CircuitBreakerConfig,
  type CircuitBreakerOptions,
  circuitBreakerSchema,
} from './config.ts';
export type { CallAction, CallOptions, CallResult, Entry } from './guarded-call.ts';
