/**
 * What speaks against an endpoint, as bits that several authorities set independently of each other: none of them has
 * to know the others. An endpoint is healthy when no bit is left. The bits of {@link DEGRADED} leave it eligible.
 */
export const HealthFlag = {
  /** Active checks failed `fall` times in a row. */
  failedActiveCheck: 1,
  /** No active check has come back yet, and the configuration says to wait for one. */
  unchecked: 2,
  /** Ejected by outlier detection. */
  ejected: 4,
  /** Leaving: removed by discovery, or told to drain. */
  draining: 8,
  /** Switched off by an operator. */
  disabled: 16,
  /** To be spared, says an operator. */
  degraded: 32,
  /** To be spared, says its own active check. */
  reportsDegraded: 64,
  /** Its circuit breaker is open: whoever is sent there is refused. */
  circuitOpen: 128,
  /** To be spared, says discovery. */
  listedDegraded: 256,
} as const;

export type HealthFlag = (typeof HealthFlag)[keyof typeof HealthFlag];

/** One word for the state, worst first. */
export type HealthState =
  | 'disabled'
  | 'draining'
  | 'unhealthy'
  | 'ejected'
  | 'circuit-open'
  | 'unchecked'
  | 'degraded'
  | 'healthy';

/** The word that stands for a set of flags. */
export function healthStateOf(flags: number): HealthState {
  if ((flags & HealthFlag.disabled) !== 0) return 'disabled';
  if ((flags & HealthFlag.draining) !== 0) return 'draining';
  if ((flags & HealthFlag.failedActiveCheck) !== 0) return 'unhealthy';
  if ((flags & HealthFlag.ejected) !== 0) return 'ejected';
  if ((flags & HealthFlag.circuitOpen) !== 0) return 'circuit-open';
  if ((flags & HealthFlag.unchecked) !== 0) return 'unchecked';
  return flags === 0 ? 'healthy' : 'degraded';
}

/** Flags of an endpoint that works, but gets traffic only when the healthy ones cannot take all of it. */
export const DEGRADED: number =
  HealthFlag.degraded | HealthFlag.reportsDegraded | HealthFlag.listedDegraded;

/** May an endpoint with these flags be picked without panic? */
export function isEligible(flags: number): boolean {
  return (flags & ~DEGRADED) === 0;
}

/** Flags that even panic does not override: traffic there would be wrong, not merely risky. */
export const NEVER_ELIGIBLE: number = HealthFlag.draining | HealthFlag.disabled;
