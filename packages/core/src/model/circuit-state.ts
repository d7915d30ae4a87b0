/** Closed lets calls through, open refuses them, half-open lets one through to find out; shutdown is for ever. */
export type CircuitState = 'closed' | 'open' | 'half-open' | 'shutdown';

/** Why a circuit changed its state. */
export type CircuitReason =
  'failures' | 'time' | 'trial-succeeded' | 'trial-failed' | 'trial-undecided' | 'operator';

/** A change of state of one circuit. */
export interface CircuitChange {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly reason: CircuitReason;
}
