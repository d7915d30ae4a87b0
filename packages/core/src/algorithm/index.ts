/**
 * The algorithms of Evenkeel for use on their own: pure computations on numbers, strings and typed arrays, without
 * clocks, timers or randomness of their own.
 *
 * ```ts
 * import { MaglevTable, XxHash64 } from '@evenkeel/core/algorithm';
 *
 * const table = new MaglevTable({ keys: ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'] });
 * const hasher = new XxHash64();
 * hasher.hashString('user-42');
 * const endpoint = table.lookup(hasher.hi, hasher.lo);
 * ```
 */

// Hash functions
export { toBigInt, type Uint64 } from './uint64.ts';
export type { StringHasher } from './string-hasher.ts';
export { XxHash64, xxhash64, type XxHash64Options } from './xxhash64.ts';
export { ENVOY_MURMUR_SEED, MurmurHash2, murmurHash2 } from './murmur2-64a.ts';
export { Modulus } from './modulus.ts';
export { isPrime, nextPrime } from './prime.ts';

// Consistent hashing
export {
  DEFAULT_MAGLEV_SIZE,
  MAX_MAGLEV_SIZE,
  MaglevTable,
  type MaglevOptions,
} from './maglev-table.ts';
export type { MaglevEntries } from './maglev-fill.ts';
export { HashRing, type HashRingOptions } from './hash-ring.ts';
export {
  DEFAULT_POINTS_PER_WEIGHT,
  ENVOY_RING_BOUNDS,
  GRPC_RING_BOUNDS,
  grpcRingBounds,
  MAX_RING_SIZE,
  type RingBounds,
  type RingSizing,
} from './ring-sizing.ts';
export { Ketama, type KetamaServer } from './ketama.ts';
export { Rendezvous, type RendezvousOptions } from './rendezvous.ts';
export { jumpHash } from './jump-hash.ts';
export {
  BoundedLoad,
  MIN_BALANCE_FACTOR_PERCENT,
  slotsOf,
  totalSlots,
  type BoundedLoadOptions,
} from './bounded-load.ts';

// Round robin and sampling
export { EdfScheduler, vanDerCorput, type EdfOptions } from './edf.ts';
export { SmoothWeightedRoundRobin } from './smooth-wrr.ts';
export { AliasTable } from './alias-table.ts';
export { firstOfTwo, MAX_ONE_DRAW, otherIndex, secondOfTwo } from './sample-two.ts';
export {
  uniformBelow,
  uniformPositive,
  uniformUnit,
  uniformUnit53,
  type RandomSource,
} from './random-source.ts';

// Averages and costs
export { decay } from './decay.ts';
export { Ewma, ewmaStep, peakEwmaStep, type EwmaOptions } from './ewma.ts';
export {
  afterFailure,
  DEFAULT_FAILURE_PENALTY_MS,
  expectedLatencyMs,
  FAILURE_RETENTION_RATIO,
  failurePenaltyMs,
  meanPendingAgeMs,
  peakEwmaCost,
  recovered,
} from './peak-ewma-cost.ts';
export { SlidingWindow, type SlidingWindowOptions } from './sliding-window.ts';

// Rates, waits and subsets
export { TokenBucket, type TokenBucketOptions } from './token-bucket.ts';
export { Backoff, type BackoffOptions, type Jitter } from './backoff.ts';
export { apertureArc, type ApertureArc, type ApertureOptions } from './aperture-arc.ts';
