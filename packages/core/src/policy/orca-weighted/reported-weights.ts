import { type LoadReport, utilizationOf } from '../../load-report/load-report.ts';
import type { Column, LoadTable } from '../../model/load-table.ts';
import type { OrcaWeightedConfig } from './config.ts';

/** No weight is known: nothing was reported, not for long enough, or too long ago. */
export const NO_WEIGHT = 0;

/** In requests per second. A report that says more is an accident; less is as good as this, and is not {@link NO_WEIGHT}. */
const MAX_WEIGHT = 1e15;
const MIN_WEIGHT = 1e-12;
/** No rate or share is more; the readers of headers have the same bound. */
const MAX_TOLD = 1e12;

/**
 * What an endpoint's reports say of its capacity (gRFC A58, "Subchannel Weights"):
 *
 *     weight = requests per second / (utilisation + errors per second / requests per second * penalty)
 *
 * An endpoint that serves 100 requests per second at a utilisation of 0.5 would serve 200 at 1: that is its weight.
 */
export class ReportedWeights {
  readonly #config: OrcaWeightedConfig;
  readonly #load: LoadTable;
  readonly #weight: Column;
  readonly #utilization: Column;
  /** When the present run of reports began; Infinity: none is running. */
  readonly #sinceMs: Column;
  readonly #latestMs: Column;

  constructor(config: OrcaWeightedConfig, load: LoadTable) {
    this.#config = config;
    this.#load = load;
    this.#weight = load.addColumn(NO_WEIGHT);
    this.#utilization = load.addColumn(0);
    this.#sinceMs = load.addColumn(Number.POSITIVE_INFINITY);
    this.#latestMs = load.addColumn(Number.NEGATIVE_INFINITY);
  }

  /** Reports without a rate or a utilisation are none. @returns whether this one counts */
  observe(slot: number, report: LoadReport, nowMs: number): boolean {
    const { requestsPerSecond, errorsPerSecond } = report;
    const utilization = utilizationOf(report);
    if (!isTold(requestsPerSecond) || !isTold(utilization)) return false;
    const errorRatio = errorsPerSecond / requestsPerSecond;
    const weight = requestsPerSecond / (utilization + errorRatio * this.#config.errorPenalty);
    if (!(weight <= MAX_WEIGHT)) return false;
    // A weight that expired has to earn its place again.
    if (this.#hasExpired(slot, nowMs)) this.#sinceMs.values[slot] = nowMs;
    this.#latestMs.values[slot] = nowMs;
    this.#weight.values[slot] = Math.max(weight, MIN_WEIGHT);
    this.#utilization.values[slot] = utilization;
    return true;
  }

  /** {@link NO_WEIGHT} in the blackout and after the expiry. */
  weightAt(slot: number, nowMs: number): number {
    if (this.#hasExpired(slot, nowMs) || this.blackoutMs(slot, nowMs) > 0) return NO_WEIGHT;
    return this.#weight.values[slot] as number;
  }

  /** How long the blackout lasts on; Infinity without reports. */
  blackoutMs(slot: number, nowMs: number): number {
    const sinceMs = this.#sinceMs.values[slot] as number;
    return Math.max(0, sinceMs + this.#config.blackoutMs - nowMs);
  }

  /** The last reported; without meaning where there is no weight. */
  utilization(slot: number): number {
    return this.#utilization.values[slot] as number;
  }

  close(): void {
    for (const column of [this.#weight, this.#utilization, this.#sinceMs, this.#latestMs])
      this.#load.removeColumn(column);
  }

  #hasExpired(slot: number, nowMs: number): boolean {
    return nowMs - (this.#latestMs.values[slot] as number) >= this.#config.expiryMs;
  }
}

function isTold(value: number): boolean {
  return value > 0 && value <= MAX_TOLD;
}
