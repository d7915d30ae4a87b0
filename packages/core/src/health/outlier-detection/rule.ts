/**
 * The contracts of the two ways to notice an outlier. The host (`rule-host.ts`) owns who is ejected and for how long; a
 * rule only says "this slot stands out".
 *
 * - A {@link SequenceRule} sits on the request path and looks at the order of outcomes: so many failures in a row.
 * - A {@link ComparisonRule} looks at all members once per interval and compares what was counted of them. The host
 *   counts for all of these rules together, so another one costs requests nothing.
 */
import type { Outcome } from '../../model/outcome.ts';
import type { OutlierDetectorName } from '../health.ts';
import type { IntervalCounts } from './interval-counts.ts';

/** Judges single outcomes as they come. */
export interface SequenceRule {
  /** Makes room for slots 0..slots-1; what is known of the others stays. */
  ensureCapacity(slots: number): void;

  /** Forgets what was seen of a slot: it left, was ejected, or would have been but for a limit. */
  reset(slot: number): void;

  /**
   * A request to a slot in rotation ended. Not told are successes that follow a success, which is nearly all there
   * is. No allocation.
   *
   * @returns does the slot stand out now? If so, the host asks {@link describe} and then calls {@link reset}.
   */
  record(slot: number, outcome: Outcome): boolean;

  /** Why the slot stands out. Asked before it is reset. */
  describe(slot: number): OutlierFinding;

  /** The longest current run of failures, for status pages. */
  consecutiveFailures(slot: number): number;
}

/** Compares the members with each other, or with a fixed limit, over one interval. Keeps no state of its own. */
export interface ComparisonRule {
  /** With fewer members than this the rule finds nothing, so that small clusters need no timer for it. At least 1. */
  readonly minimumEndpoints: number;

  /**
   * @param slots all slots in rotation
   * @param counts what ended in the interval that is over
   * @returns those that stand out, worst first: the ejection limit may not allow all of them
   */
  sweep(slots: readonly number[], counts: IntervalCounts): readonly Outlier[];
}

/** What a rule found. */
export interface OutlierFinding {
  /** Stable name for events and metrics. */
  readonly detector: OutlierDetectorName;
  /** For humans: "5 failures in a row (last: gatewayError)". */
  readonly reason: string;
}

/** A slot that a comparison found to stand out. */
export interface Outlier {
  readonly slot: number;
  readonly finding: OutlierFinding;
}
