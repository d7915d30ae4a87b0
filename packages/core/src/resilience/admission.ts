/**
 * Who may go in: everything that can refuse a request of one cluster before it is sent, behind one face. Transports
 * (dispatcher, proxy) ask; the cluster answers from its options. A cluster without such options has no admission at all,
 * and costs nothing.
 *
 * ```text
 *   admit ──┬─ refused: AdmissionError, nothing to end
 *           └─ admitted ─► pick ─► enter(slot) ─┬─ false: exclude the slot, pick again
 *                            ▲                  └─ true ─► try ─► leave(slot, …)
 *                            └── retry, hedge: tryExtra ────────────┘
 *              complete: once, after all tries
 * ```
 */
import type { Outcome } from '../model/outcome.ts';
import type { AdmissionError } from './admission-error.ts';
import type { Criticality } from './load-shedder.ts';

export interface Admission {
  /**
   * Admits a request, to be ended with {@link complete} exactly once, or says why not. Asks, in this order: thresholds,
   * circuit breaker, load shedding, client throttle, concurrency limit, rate limit: who refuses takes nothing from those
   * before it. Allocates only to refuse.
   */
  admit(nowMs: number, criticality?: Criticality): AdmissionError | undefined;
  /**
   * The request has ended, all tries included; `Outcome.cancelled` if none was made.
   *
   * @param latencyMs to the first byte of the last try; anything not above 0 is no measurement
   * @param admittedMs what {@link admit} was told. A circuit breaker needs it, to tell requests from before its last
   *   change of state from those after it. Left out, it is taken to be the latency ago, which is the latest it can be
   */
  complete(outcome: Outcome, latencyMs: number, nowMs: number, admittedMs?: number): void;
  /**
   * May a try go to this endpoint (its circuit breaker, its concurrency limit)? Otherwise exclude it and pick another
   * one. After true, {@link leave} exactly once.
   */
  enter(slot: number, nowMs: number): boolean;
  /**
   * A try has ended. In the same turn as the cluster's `finish`, before or after. No object: no allocation per try.
   *
   * @param latencyMs to the first byte; anything not above 0 is no measurement
   * @param enteredMs what {@link enter} was told, for the same reason as in {@link complete}
   */
  leave(slot: number, outcome: Outcome, latencyMs: number, nowMs: number, enteredMs?: number): void;
  /** Why {@link enter} refused just now, when no other endpoint is left. */
  refusal(slot: number): AdmissionError;
  /** A further try (retry or hedge) begins: counted against `thresholds.retries`, until {@link endExtra}. */
  tryExtra(): boolean;
  endExtra(): void;
  /** A request waits for a connection: counted against `thresholds.pending`, until {@link endPending}. */
  tryPending(): boolean;
  endPending(): void;
  /** A connection opens: counted against `thresholds.connections`, until {@link endConnection}. */
  tryConnection(): boolean;
  endConnection(): void;
}
