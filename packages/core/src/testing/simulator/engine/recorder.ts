import {
  OUTCOME_COUNT,
  OUTCOME_NAMES,
  type OutcomeName,
  isFailure,
  type Outcome,
} from '../../../model/outcome.ts';
import type { AdmissionReason } from '../../../resilience/admission-error.ts';
import type { Quantile, SimulationResult, TimeSpan } from '../result.ts';
import { TimelineRecorder } from './timeline-recorder.ts';

/** Takes down what happens to requests. */
export class Recorder {
  readonly timeline: TimelineRecorder;
  readonly attempts: Int32Array;
  readonly failures: Int32Array;
  readonly #measured: TimeSpan;
  readonly #outcomes = new Float64Array(OUTCOME_COUNT);
  #latencies = new Float64Array(65_536);
  #count = 0;
  #unsent = 0;
  #hedges = 0;
  readonly #refusals: Record<AdmissionReason, number> = {
    threshold: 0,
    'concurrency-limit': 0,
    'load-shedding': 0,
    'client-throttle': 0,
    'rate-limit': 0,
    'circuit-open': 0,
  };
  #lowRefusals = 0;
  /** Where the last request with a key went; 0: nowhere yet, else the server's index and 1. */
  #places = new Int32Array(0);
  #keyed = 0;
  #kept = 0;

  constructor(measured: TimeSpan, serverCount: number) {
    this.#measured = measured;
    this.attempts = new Int32Array(serverCount);
    this.failures = new Int32Array(serverCount);
    this.timeline = new TimelineRecorder(measured.untilMs, serverCount);
  }

  /** A request arrived at a client. */
  arrived(nowMs: number): void {
    this.timeline.arrived(nowMs);
  }

  /** An attempt of a request that arrived at `arrivalMs` is sent. */
  sent(server: number, arrivalMs: number, nowMs: number): void {
    this.timeline.sent(server, nowMs);
    if (this.#counts(arrivalMs)) this.attempts[server] = (this.attempts[server] as number) + 1;
  }

  /** An attempt is a hedge. */
  hedged(arrivalMs: number): void {
    if (this.#counts(arrivalMs)) this.#hedges++;
  }

  /** The first attempt of a request with a key goes to a server. */
  placed(key: number, server: number, arrivalMs: number): void {
    if (key >= this.#places.length) {
      const places = new Int32Array(Math.max(1_024, key * 2));
      places.set(this.#places);
      this.#places = places;
    }
    const before = this.#places[key] as number;
    this.#places[key] = server + 1;
    if (before === 0 || !this.#counts(arrivalMs)) return;
    this.#keyed++;
    if (before === server + 1) this.#kept++;
  }

  /** An attempt failed. */
  failed(server: number, arrivalMs: number): void {
    if (this.#counts(arrivalMs)) this.failures[server] = (this.failures[server] as number) + 1;
  }

  /** A request ended for its caller. */
  ended(outcome: Outcome, arrivalMs: number, nowMs: number): void {
    this.timeline.ended(nowMs, nowMs - arrivalMs, isFailure(outcome));
    if (!this.#counts(arrivalMs)) return;
    this.#outcomes[outcome] = (this.#outcomes[outcome] as number) + 1;
    if (this.#count === this.#latencies.length) {
      const latencies = new Float64Array(this.#count * 2);
      latencies.set(this.#latencies);
      this.#latencies = latencies;
    }
    this.#latencies[this.#count++] = nowMs - arrivalMs;
  }

  /** A request found no endpoint. */
  unsent(nowMs: number): void {
    this.timeline.ended(nowMs, 0, true);
    if (this.#counts(nowMs)) this.#unsent++;
  }

  /** A request was not let in. It counts as unsent too. */
  refused(reason: AdmissionReason, low: boolean, nowMs: number): void {
    this.unsent(nowMs);
    if (!this.#counts(nowMs)) return;
    this.#refusals[reason]++;
    if (low) this.#lowRefusals++;
  }

  read(): RecordedNumbers {
    const sorted = this.#latencies.slice(0, this.#count).sort();
    const sum = sorted.reduce((total, latency) => total + latency, 0);
    const outcomes = Object.fromEntries(
      OUTCOME_NAMES.map((name, outcome) => [name, this.#outcomes[outcome] as number]),
    ) as Record<OutcomeName, number>;
    const requestCount = this.#count + this.#unsent;
    const failedCount = requestCount - outcomes.success - outcomes.cancelled;
    return {
      requestCount,
      attemptCount: this.attempts.reduce((total, count) => total + count, 0),
      failedCount,
      errorPercent: requestCount === 0 ? 0 : (failedCount / requestCount) * 100,
      outcomes,
      unsentCount: this.#unsent,
      hedgeCount: this.#hedges,
      refusals: { ...this.#refusals },
      lowRefusalCount: this.#lowRefusals,
      affinityPercent: (this.#kept / this.#keyed) * 100,
      meanMs: sum / this.#count,
      p50Ms: quantile(sorted, 0.5),
      p90Ms: quantile(sorted, 0.9),
      p99Ms: quantile(sorted, 0.99),
      p999Ms: quantile(sorted, 0.999),
      maxMs: quantile(sorted, 1),
      quantiles: quantilesOf(sorted),
    };
  }

  #counts(arrivalMs: number): boolean {
    return arrivalMs >= this.#measured.fromMs && arrivalMs < this.#measured.untilMs;
  }
}

export type RecordedNumbers = Pick<
  SimulationResult,
  | 'requestCount'
  | 'attemptCount'
  | 'failedCount'
  | 'errorPercent'
  | 'outcomes'
  | 'unsentCount'
  | 'hedgeCount'
  | 'refusals'
  | 'lowRefusalCount'
  | 'affinityPercent'
  | 'meanMs'
  | 'p50Ms'
  | 'p90Ms'
  | 'p99Ms'
  | 'p999Ms'
  | 'maxMs'
  | 'quantiles'
>;

/** Points per decade of the share that is left: the tail gets as many as the body. */
const POINTS_PER_DECADE = 12;
/** Least share of requests left beyond the last point. */
const LAST_LEFT = 1e-4;

function quantilesOf(sorted: Float64Array): Quantile[] {
  const points: Quantile[] = [];
  for (let step = 0; ; step++) {
    const left = 0.5 * 10 ** (-step / POINTS_PER_DECADE);
    // Fewer than ten requests beyond a point say nothing about it.
    if (left < LAST_LEFT || left * sorted.length < 10) return points;
    points.push({ ratio: 1 - left, latencyMs: quantile(sorted, 1 - left) });
  }
}

/** The value below which a share of the others lies (nearest rank); NaN of nothing. */
function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}
