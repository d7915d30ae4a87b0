/**
 * How a request ended, from the point of view of "was the endpoint good?". Small integers, because the hot path counts
 * them in typed arrays. Classes follow Envoy's outlier detection: what the endpoint answered (external) apart from what
 * the client saw happen to the connection (local origin).
 */
export const Outcome = {
  /** An answer that is no fault of the endpoint: HTTP 1xx-4xx except 429. */
  success: 0,
  /** HTTP 5xx other than the gateway codes. External. */
  serverError: 1,
  /** HTTP 502, 503, 504. External. */
  gatewayError: 2,
  /** HTTP 429, or 503 with Retry-After: the endpoint asks for less. External. */
  overloaded: 3,
  /** No connection: refused, unreachable, TLS failure, connect timeout. The request was never sent. Local origin. */
  connectFailure: 4,
  /** The connection broke after the request was sent and before the answer was complete. Local origin. */
  reset: 5,
  /** A local time limit passed. Local origin. */
  timeout: 6,
  /** The caller gave up, or a hedge lost: says nothing about the endpoint. */
  cancelled: 7,
} as const;

export type Outcome = (typeof Outcome)[keyof typeof Outcome];
export type OutcomeName = keyof typeof Outcome;

/** How many classes there are: the stride of per-outcome counters. A power of two. */
export const OUTCOME_COUNT = 8;

/** Names by number, for metrics and dumps. */
export const OUTCOME_NAMES: readonly OutcomeName[] = Object.freeze(
  Object.keys(Outcome) as OutcomeName[],
);

/** Does this outcome speak against the endpoint? Success and cancellation do not. */
export function isFailure(outcome: Outcome): boolean {
  return outcome !== Outcome.success && outcome !== Outcome.cancelled;
}

/** Did the client see this failure happen itself, without an answer from the endpoint? */
export function isLocalOrigin(outcome: Outcome): boolean {
  return outcome >= Outcome.connectFailure && outcome <= Outcome.timeout;
}

/** The class of an HTTP status code. */
export function outcomeOfStatus(statusCode: number, hasRetryAfter = false): Outcome {
  if (statusCode === 429) return Outcome.overloaded;
  if (statusCode < 500) return Outcome.success;
  if (statusCode === 503 && hasRetryAfter) return Outcome.overloaded;
  if (statusCode === 502 || statusCode === 503 || statusCode === 504) return Outcome.gatewayError;
  return Outcome.serverError;
}

/** Stands for `latencyMs` when a request ends whose first byte was already reported. */
export const RESPONDED = -1;
