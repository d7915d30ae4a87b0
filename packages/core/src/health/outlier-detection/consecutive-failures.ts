import { isFailure, Outcome, OUTCOME_NAMES } from '../../model/outcome.ts';
import type { OutlierFinding, OutlierRule } from './rule.ts';
import { withRoom } from './slot-arrays.ts';

export interface ConsecutiveFailuresLimits {
  /** Failures of any kind in a row; 0: never. */
  readonly consecutiveFailures: number;
  /** Connection failures in a row; 0: never. */
  readonly consecutiveConnectFailures: number;
}

/** Numbers per slot: failures in a row, connection failures in a row, last failure. */
const STRIDE = 3;

/**
 * Ejects after so many failures in a row (Envoy's `consecutive_5xx` and `consecutive_local_origin_failure`).
 *
 * | outcome | failures in a row | connection failures in a row |
 * |---|---|---|
 * | success | 0 | 0 |
 * | serverError, gatewayError, reset | +1 | 0 |
 * | connectFailure | +1 | +1 |
 * | timeout | +1 | as it is: the time may have passed before or after connecting |
 * | overloaded | as it is | 0 |
 * | cancelled | as it is | as it is |
 *
 * `overloaded` (429, Retry-After) does not count: the endpoint works and asks for less, which is the policy's
 * business. Ejecting it would push its load onto the others, and they would be next.
 */
export class ConsecutiveFailures implements OutlierRule {
  readonly #limits: ConsecutiveFailuresLimits;
  #runs = new Int32Array(0);

  constructor(limits: ConsecutiveFailuresLimits) {
    this.#limits = limits;
  }

  ensureCapacity(slots: number): void {
    this.#runs = withRoom(this.#runs, slots * STRIDE, (length) => new Int32Array(length));
  }

  reset(slot: number): void {
    this.#runs.fill(0, slot * STRIDE, (slot + 1) * STRIDE);
  }

  record(slot: number, outcome: Outcome): boolean {
    if (outcome !== Outcome.success) return this.#recordOther(slot * STRIDE, outcome);
    this.reset(slot);
    return false;
  }

  describe(slot: number): OutlierFinding {
    const at = slot * STRIDE;
    const connectFailures = this.#runs[at + 1] as number;
    if (reached(connectFailures, this.#limits.consecutiveConnectFailures)) {
      return {
        detector: 'connect-failures',
        reason: `${connectFailures} connection failures in a row`,
      };
    }
    const last = OUTCOME_NAMES[this.#runs[at + 2] as number];
    return {
      detector: 'consecutive-failures',
      reason: `${this.#runs[at]} failures in a row (last: ${last})`,
    };
  }

  consecutiveFailures(slot: number): number {
    return this.#runs[slot * STRIDE] ?? 0;
  }

  #recordOther(at: number, outcome: Outcome): boolean {
    const runs = this.#runs;
    if (outcome === Outcome.overloaded) {
      runs[at + 1] = 0;
      return false;
    }
    if (!isFailure(outcome)) return false;
    const failures = (runs[at] as number) + 1;
    let connectFailures = runs[at + 1] as number;
    if (outcome === Outcome.connectFailure) connectFailures += 1;
    else if (outcome !== Outcome.timeout) connectFailures = 0;
    runs[at] = failures;
    runs[at + 1] = connectFailures;
    runs[at + 2] = outcome;
    return (
      reached(failures, this.#limits.consecutiveFailures) ||
      reached(connectFailures, this.#limits.consecutiveConnectFailures)
    );
  }
}

function reached(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}
