/**
 * A circuit as whoever asks it many times per second sees it: without an object per call. What keeps the window and
 * decides comes from outside, so that nothing here loads its package; `@evenkeel/core/opossum` has one.
 */
import type { CircuitChange, CircuitState } from '../model/circuit-state.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { CircuitOptions } from './circuit-breaker-config.ts';

/** Lets calls through or refuses them, by how earlier ones ended. */
export interface Circuit {
  readonly state: CircuitState;
  /** Would {@link tryEnter} admit a call? Changes nothing. */
  readonly admits: boolean;
  /** Asks for a call. After true, exactly once {@link leave} or {@link giveBack}. */
  tryEnter(nowMs: number): boolean;
  /**
   * A call has ended. `Outcome.cancelled` says nothing about the other side.
   *
   * @param enteredMs when it was admitted, on the clock of the runtime: calls from before the last change of state do not
   *   count, and without the time they cannot be told from others
   */
  leave(outcome: Outcome, enteredMs: number): void;
  /** The call admitted just now is not made after all: as if nobody had asked. */
  giveBack(): void;
  /** Time until an open circuit lets a trial through; undefined when it is not open. */
  retryAfterMs(nowMs: number): number | undefined;
  snapshot(): CircuitSnapshot;
  /** Refuses everything from now on, and leaves no timer behind. Idempotent. */
  close(): void;
}

export interface CircuitSnapshot {
  readonly name: string;
  readonly state: CircuitState;
  /** Calls in the window that have ended. */
  readonly callCount: number;
  /** In the window. */
  readonly failureCount: number;
  /** Calls refused since the start. */
  readonly rejectedCount: number;
  /** Times opened since the start. */
  readonly openedCount: number;
}

/** Makes circuits with the same options; they share what they can. */
export interface CircuitSource {
  /** @param onChange hears of every change of state */
  create(name: string, onChange: (change: CircuitChange) => void): Circuit;
}

/** The port through which a cluster gets its circuits: `createCircuitBreakers` of `@evenkeel/core/opossum`. */
export type CircuitBreakersFactory = (
  options: CircuitOptions,
  runtime: Partial<Runtime>,
) => CircuitSource;
