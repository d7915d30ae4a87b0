/** What the admission of a cluster looks like at one moment, as plain data. */
import type { CircuitState } from '../model/circuit-state.ts';
import type { AdmissionReason } from './admission-error.ts';
import type { CircuitSnapshot } from './circuit.ts';
import type { ConcurrencyScope } from './concurrency/config.ts';
import type { ThresholdConfig } from './thresholds.ts';

/** Why a try at one endpoint was refused, or a further try, a wait or a connection. */
export type TryRefusalReason = Extract<
  AdmissionReason,
  'threshold' | 'concurrency-limit' | 'circuit-open'
>;

/** A limit, and how much of it is in use. */
export interface LimitSnapshot {
  readonly limit: number;
  readonly activeCount: number;
}

export interface AdmissionSnapshot {
  /** Requests admitted that have not ended. */
  readonly activeCount: number;
  /** Requests admitted since the start. */
  readonly admittedCount: number;
  /** Requests refused since the start. */
  readonly refused: Readonly<Record<AdmissionReason, number>>;
  /** Tries refused since the start; the request may have found another endpoint. */
  readonly triesRefused: Readonly<Record<TryRefusalReason, number>>;
  readonly thresholds: Readonly<Record<keyof ThresholdConfig, LimitSnapshot>> | undefined;
  /** Of the cluster as a whole. */
  readonly circuit: CircuitSnapshot | undefined;
  /** How many endpoints' circuits are in which state; endpoints that never had a request are not counted. */
  readonly endpointCircuits: Readonly<Record<CircuitState, number>> | undefined;
  /** The limit found at present; per endpoint: of all endpoints that have had requests together. */
  readonly concurrency: (LimitSnapshot & { readonly per: ConcurrencyScope }) | undefined;
  /** 1 is full. What load shedding goes by. */
  readonly utilisation: number | undefined;
  /** How many classes of criticality are refused: 0 for none, 4 for all. */
  readonly shedLevel: number | undefined;
  /** Part of the requests that throttling refuses, 0..1. */
  readonly throttleRatio: number | undefined;
  /** Requests that the rate limit would admit now. */
  readonly rateRemaining: number | undefined;
}

/** The admission of one endpoint. */
export interface EndpointAdmissionSnapshot {
  readonly circuit: CircuitState | undefined;
  /** Requests that may be in flight; undefined when they are not limited per endpoint. */
  readonly limit: number | undefined;
  readonly activeCount: number;
  /** Tries refused since the start. */
  readonly refusedCount: number;
}
