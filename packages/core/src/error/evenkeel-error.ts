/**
 * The error catalogue's root. Every error that Evenkeel raises on purpose is an {@link EvenkeelError} with a stable
 * `code`, so that callers branch on the code and never on the text.
 *
 * Two copies of the library may live in one process (ESM beside CJS, or two versions). `instanceof` fails across them,
 * {@link isEvenkeelError} does not: it looks for a brand in the global symbol registry.
 */

/**
 * Every code, with what it means:
 *
 * - `EVENKEEL_CONFIG`: a configuration or an argument is wrong; nothing was applied.
 * - `EVENKEEL_NO_ENDPOINTS`: the cluster knows no endpoint at all.
 * - `EVENKEEL_NOT_READY`: discovery has not answered yet.
 * - `EVENKEEL_NO_ELIGIBLE_ENDPOINT`: endpoints are known, but none may take this request (excluded, disabled, weight 0).
 * - `EVENKEEL_UNKNOWN_CLUSTER`: a request names a cluster that was never registered.
 * - `EVENKEEL_CLOSED`: used after `close()`.
 * - `EVENKEEL_DISCOVERY`: a source of endpoints failed; the last good set keeps serving.
 * - `EVENKEEL_REGISTRATION`: a registry did not take the announcement of this process; it is tried again.
 * - `EVENKEEL_HEALTH_CHECK`: an active check failed.
 * - `EVENKEEL_DEADLINE`: the total time allowed has passed.
 * - `EVENKEEL_CONNECT`: no connection to an endpoint could be made.
 * - `EVENKEEL_OVERLOADED`: refused here, because too much is going on already (limits, load shedding, throttling).
 * - `EVENKEEL_RATE_LIMITED`: refused here, because a rate limit is reached.
 * - `EVENKEEL_CIRCUIT_OPEN`: refused here, because a circuit breaker is open.
 * - `EVENKEEL_UNSUPPORTED`: this runtime, or a missing optional package, cannot do what was asked.
 */
export type ErrorCode =
  | 'EVENKEEL_CONFIG'
  | 'EVENKEEL_NO_ENDPOINTS'
  | 'EVENKEEL_NOT_READY'
  | 'EVENKEEL_NO_ELIGIBLE_ENDPOINT'
  | 'EVENKEEL_UNKNOWN_CLUSTER'
  | 'EVENKEEL_CLOSED'
  | 'EVENKEEL_DISCOVERY'
  | 'EVENKEEL_REGISTRATION'
  | 'EVENKEEL_HEALTH_CHECK'
  | 'EVENKEEL_DEADLINE'
  | 'EVENKEEL_CONNECT'
  | 'EVENKEEL_OVERLOADED'
  | 'EVENKEEL_RATE_LIMITED'
  | 'EVENKEEL_CIRCUIT_OPEN'
  | 'EVENKEEL_UNSUPPORTED';

/** What an error is built from besides its message. */
export interface ErrorDetails {
  /** May the same operation succeed if it is tried again, possibly elsewhere? Default: false. */
  readonly retryable?: boolean;
  /** The error beneath this one. */
  readonly cause?: unknown;
  /** The cluster concerned, where there is one. */
  readonly cluster?: string | undefined;
}

const BRAND = Symbol.for('evenkeel.error');

/** Base of all errors raised on purpose. */
export class EvenkeelError extends Error {
  readonly code: ErrorCode;
  /** May the same operation succeed if it is tried again, possibly on another endpoint? */
  readonly retryable: boolean;
  /** Name of the cluster concerned. */
  readonly cluster: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.cluster = details.cluster;
    Object.defineProperty(this, BRAND, { value: true, enumerable: false });
  }
}

/** True for an {@link EvenkeelError} of any copy of this library, optionally with one given code. */
export function isEvenkeelError(value: unknown, code?: ErrorCode): value is EvenkeelError {
  if (typeof value !== 'object' || value === null || !(BRAND in value)) return false;
  return code === undefined || (value as { readonly code?: unknown }).code === code;
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
