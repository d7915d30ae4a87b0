/**
 * The cost of sending one more request to an endpoint, for policies that compare endpoints by it:
 *
 *     cost = (max(ewma, age) + penalty) * (pending + 1) / weight
 *
 * Derivation. A server that answers one request in `ewma` ms finishes a queue of `pending` ones and ours in about
 * `ewma * (pending + 1)` (Finagle's PeakEwma). Three corrections:
 *
 * - `age`, the mean time that the requests in flight have waited so far: a hung endpoint gives no samples, so its
 *   average would stay good for ever. Its waiting requests already prove that it takes at least that long.
 * - `penalty` for failures: an endpoint that fails at once has the best latency of all and would attract everybody. With
 *   a success ratio s it is charged `(1 - s) * 1000 ms`, the order of what a failed request costs its caller.
 * - `weight` divides: an endpoint of twice the capacity drains the same queue in half the time.
 *
 * The parts are separate functions of three numbers, which inline and can be tested alone.
 */

/** What an endpoint that only fails is charged on top of its latency. */
export const DEFAULT_FAILURE_PENALTY_MS = 1_000;

/** What is left of the success ratio after a failure: two in a row halve it. */
export const FAILURE_RETENTION_RATIO = 0.7;

/** @param latencyMs what one request is expected to take, see `expectedLatencyMs` @param weight above 0 */
export function peakEwmaCost(latencyMs: number, pending: number, weight: number): number {
  return (latencyMs * (pending + 1)) / weight;
}

/** The larger of the average and the age of what is still waiting, plus the penalty. */
export function expectedLatencyMs(ewmaMs: number, ageMs: number, penaltyMs: number): number {
  return (ewmaMs > ageMs ? ewmaMs : ageMs) + penaltyMs;
}

/**
 * Mean age of the requests in flight from the sum of their start times, which is kept with one addition at a start and
 * one subtraction at an end. 0 when nothing is in flight or rounding makes it negative.
 */
export function meanPendingAgeMs(pending: number, startSumMs: number, nowMs: number): number {
  if (pending <= 0) return 0;
  const age = nowMs - startSumMs / pending;
  return age > 0 ? age : 0;
}

/** The charge for a success ratio in 0..1. */
export function failurePenaltyMs(
  successRatio: number,
  maxPenaltyMs: number = DEFAULT_FAILURE_PENALTY_MS,
): number {
  return (1 - successRatio) * maxPenaltyMs;
}

/** The success ratio after a failure. */
export function afterFailure(
  successRatio: number,
  retentionRatio: number = FAILURE_RETENTION_RATIO,
): number {
  return successRatio * retentionRatio;
}

/** The success ratio after some time: it returns to 1, with `keep = decay(elapsed / tau)` of the gap left. */
export function recovered(successRatio: number, keep: number): number {
  return 1 - (1 - successRatio) * keep;
}
