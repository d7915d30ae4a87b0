import type { OutcomeName } from '../../model/outcome.ts';
import type { AdmissionReason } from '../../resilience/admission-error.ts';

/**
 * What a run measured. Requests that arrived in the warm-up or after the measured time count only in the timeline.
 *
 * Times are what a caller saw: from the arrival at the client to the end of the last attempt, failed requests included.
 */
export interface SimulationResult {
  readonly scenario: string;
  readonly description: string;
  /** Name in reports: the policy's, unless the run was given one. */
  readonly label: string;
  readonly policy: string;
  readonly seed: number;
  /** Requests per second that the servers can do, faults aside. */
  readonly capacityPerSecond: number;

  readonly requestCount: number;
  /** Tries, retries included. */
  readonly attemptCount: number;
  readonly failedCount: number;
  readonly errorPercent: number;
  /** Requests by the outcome of their last attempt. */
  readonly outcomes: Readonly<Record<OutcomeName, number>>;
  /** Requests that were refused, or for which no endpoint could be picked: among the failed, in no latency. */
  readonly unsentCount: number;
  /** Attempts that were hedges. */
  readonly hedgeCount: number;
  /** Requests that `admission` refused, by its reason; among the unsent. */
  readonly refusals: Readonly<Record<AdmissionReason, number>>;
  /** Of them, those of low criticality. */
  readonly lowRefusalCount: number;
  /**
   * Share of the requests that went first to where the last request with their key had gone, 0..100. NaN without keys.
   */
  readonly affinityPercent: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** The whole distribution, for plots: from the median to the last of a thousand or more, by rising share. */
  readonly quantiles: readonly Quantile[];

  /** Ejections over all clients, in the whole run. */
  readonly ejectionCount: number;
  /** How often clients fell into panic, in the whole run. */
  readonly panicCount: number;
  /** Requests that clients or servers still thought in flight when all had ended: 0 unless something leaks. */
  readonly leakedCount: number;

  readonly servers: readonly ServerResult[];
  readonly timeline: Timeline;
  /** Faults as spans of time, for plots. */
  readonly faults: readonly FaultSpan[];
  /** The measured part of the run. */
  readonly measured: TimeSpan;
}

/** One server, over the measured time. */
export interface ServerResult {
  readonly index: number;
  readonly id: string;
  readonly zone: string;
  readonly group: number;
  readonly cores: number;
  readonly speed: number;
  /** Attempts sent to it. */
  readonly attemptCount: number;
  /** Of them, those that failed. */
  readonly failedCount: number;
  /** Its part of all attempts against the fair share of 1 / servers: 1 is fair, 2 is twice that. */
  readonly shareToFair: number;
  /** Mean share of its cores that requests used, 0..1. */
  readonly utilization: number;
  /** Mean number of requests it worked on. */
  readonly meanRunning: number;
}

/** So large a share of the requests took at most so long. */
export interface Quantile {
  /** 0..1. */
  readonly ratio: number;
  readonly latencyMs: number;
}

export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What went wrong when. */
export interface FaultSpan extends TimeSpan {
  readonly label: string;
  /** Indexes of the servers struck. */
  readonly servers: readonly number[];
}

/** The run from its start in steps of equal length; every array has one entry per step. */
export interface Timeline {
  readonly stepMs: number;
  /** Requests that arrived, per second. */
  readonly offeredPerSecond: readonly number[];
  /** Requests that ended well, per second. */
  readonly goodPerSecond: readonly number[];
  /** Share of the requests ended in the step that failed, 0..100. */
  readonly errorPercent: readonly number[];
  /** Of the requests ended in the step; NaN when none did. Within 3 %. */
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
  /** Attempts sent to each server: `attempts[server][step]`. */
  readonly attempts: readonly (readonly number[])[];
}
