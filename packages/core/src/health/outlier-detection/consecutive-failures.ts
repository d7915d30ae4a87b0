import { isLocalOrigin, Outcome, OUTCOME_NAMES } from '../../model/outcome.ts';
import type { OutlierDetectorName } from '../health.ts';
import type { ConsecutiveConfig } from './config.ts';
import type { OutlierFinding, SequenceRule } from './rule.ts';
import { withRoom } from './slot-arrays.ts';

/** Numbers per slot: the four runs, and the last failure. */
const STRIDE = 5;
const FAILURES = 0;
const GATEWAY = 1;
const CONNECT = 2;
const LOCAL = 3;
const LAST = 4;

interface Run {
  readonly run: number;
  readonly detector: OutlierDetectorName;
  readonly what: string;
}

interface Limit extends Run {
  readonly limit: number;
}

const PLAIN: Run = { run: FAILURES, detector: 'consecutive-failures', what: 'failures' };

/**
 * Ejects after so many failures in a row (Envoy's `consecutive_5xx`, `consecutive_gateway_failure` and
 * `consecutive_local_origin_failure`, and connections that could not be made, which have a limit of their own).
 *
 * | outcome | failures | gateway failures | connection failures | local-origin failures |
 * |---|---|---|---|---|
 * | success | 0 | 0 | 0 | 0 |
 * | serverError | +1 | 0 | 0 | 0 |
 * | gatewayError | +1 | +1 | 0 | 0 |
 * | connectFailure | +1 * | +1 * | +1 | +1 |
 * | reset | +1 * | +1 * | 0 | +1 |
 * | timeout | +1 * | +1 * | as it is: it may have passed before connecting | +1 |
 * | overloaded | as it is | as it is | 0 | 0 |
 * | cancelled | as it is | as it is | as it is | as it is |
 *
 * `*`: as it is with `splitLocalOriginErrors`.
 *
 * `overloaded` (429, Retry-After) does not count: the endpoint works and asks for less, which is the policy's
 * business. Ejecting it would push its load onto the others, and they would be next.
 */
export class ConsecutiveFailures implements SequenceRule {
  /** Those in force. When several are reached at once, the first gives its name: the more special come first. */
  readonly #limits: readonly Limit[];
  readonly #split: boolean;
  #runs = new Int32Array(0);

  constructor(limits: ConsecutiveConfig, splitLocalOriginErrors = false) {
    this.#split = splitLocalOriginErrors;
    const { connectFailures, gatewayFailures, failures, localOriginFailures } = limits;
    const all: readonly Limit[] = [
      {
        run: CONNECT,
        limit: connectFailures,
        detector: 'connect-failures',
        what: 'connection failures',
      },
      {
        run: GATEWAY,
        limit: gatewayFailures,
        detector: 'gateway-failures',
        what: 'gateway failures',
      },
      { ...PLAIN, limit: failures },
      {
        run: LOCAL,
        limit: localOriginFailures,
        detector: 'local-origin-failures',
        what: 'local-origin failures',
      },
    ];
    this.#limits = all.filter(({ limit }) => limit > 0);
  }

  ensureCapacity(slots: number): void {
    this.#runs = withRoom(this.#runs, slots * STRIDE, (length) => new Int32Array(length));
  }

  reset(slot: number): void {
    const at = slot * STRIDE;
    // Not `fill`, whose call costs more than the five stores, and every recovery comes by here.
    for (let i = at; i < at + STRIDE; i++) this.#runs[i] = 0;
  }

  record(slot: number, outcome: Outcome): boolean {
    const at = slot * STRIDE;
    switch (outcome) {
      case Outcome.success:
        this.reset(slot);
        return false;
      case Outcome.cancelled:
        return false;
      case Outcome.overloaded:
        this.#runs[at + CONNECT] = 0;
        this.#runs[at + LOCAL] = 0;
        return false;
      default:
        this.#fail(at, outcome);
        return this.#reached(at) !== undefined;
    }
  }

  describe(slot: number): OutlierFinding {
    const at = slot * STRIDE;
    const { detector, what, run } = this.#reached(at) ?? PLAIN;
    const reason = `${this.#runs[at + run]} ${what} in a row`;
    if (run === CONNECT) return { detector, reason };
    return {
      detector,
      reason: `${reason} (last: ${OUTCOME_NAMES[this.#runs[at + LAST] as number]})`,
    };
  }

  consecutiveFailures(slot: number): number {
    const at = slot * STRIDE;
    return Math.max(this.#runs[at + FAILURES] ?? 0, this.#runs[at + LOCAL] ?? 0);
  }

  #fail(at: number, outcome: Outcome): void {
    const runs = this.#runs;
    const local = isLocalOrigin(outcome);
    if (!local || !this.#split) {
      runs[at + FAILURES] = (runs[at + FAILURES] as number) + 1;
      if (outcome === Outcome.serverError) runs[at + GATEWAY] = 0;
      else runs[at + GATEWAY] = (runs[at + GATEWAY] as number) + 1;
    }
    if (outcome === Outcome.connectFailure) runs[at + CONNECT] = (runs[at + CONNECT] as number) + 1;
    else if (outcome !== Outcome.timeout) runs[at + CONNECT] = 0;
    runs[at + LOCAL] = local ? (runs[at + LOCAL] as number) + 1 : 0;
    runs[at + LAST] = outcome;
  }

  #reached(at: number): Limit | undefined {
    for (const limit of this.#limits) {
      if ((this.#runs[at + limit.run] as number) >= limit.limit) return limit;
    }
    return undefined;
  }
}
