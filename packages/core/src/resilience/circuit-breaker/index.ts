/** Circuit breakers: needs the package `opossum`. */
export type { CircuitChange, CircuitReason, CircuitState } from '../../model/circuit-state.ts';
export type {
  Circuit,
  CircuitBreakersFactory,
  CircuitSnapshot,
  CircuitSource,
} from '../circuit.ts';
export {
  type CircuitBreakerConfig,
  type CircuitBreakerOptions,
  circuitBreakerSchema,
  type CircuitConfig,
  type CircuitOptions,
} from '../circuit-breaker-config.ts';
export { CircuitBreakers, type CircuitBreakersOptions } from './breaker-set.ts';
export type { BucketClock } from './bucket-clock.ts';
export {
  CircuitBreaker,
  type CircuitEvent,
  type CircuitListener,
  type CircuitPorts,
} from './circuit-breaker.ts';
export { createCircuitBreakers } from './create-circuit-breakers.ts';
export type { CallAction, CallOptions, CallResult, Entry } from './guarded-call.ts';
