/**
 * The contract of one way to notice an outlier. The detector is the host: it owns who is ejected and for how long; a
 * rule only says "this slot stands out".
 *
 * There are two moments to say so, and a rule implements the one it needs:
 *
 * - {@link OutlierRule.record}, on the request path, for rules that look at the order of outcomes (so many failures
 *   in a row);
 * - {@link OutlierRule.sweep}, every few seconds, for rules that compare the members with each other (success rate
 *   against the mean, share of failures): their counts come from the load table, so they cost requests nothing.
 */
import type { Outcome } from '../../model/outcome.ts';

export interface OutlierRule {
  /** Makes room for slots 0..slots-1; what is known of the others stays. */
  ensureCapacity(slots: number): void;

  /** Forgets what was seen of a slot: it left, was ejected, or would have been but for a limit. */
  reset(slot: number): void;

  /**
   * A request to a slot in rotation ended. Not told are successes that follow a success, which is nearly all there
   * is: a rule that wants to count those takes them from the load table in {@link sweep}. No allocation.
   *
   * @returns does the slot stand out now? If so, the host asks {@link describe} and then calls {@link reset}.
   */
  record?(slot: number, outcome: Outcome): boolean;

  /**
   * Looks at all slots in rotation at once.
   *
   * @returns those that stand out, worst first: the ejection limit may not allow all of them
   */
  sweep?(slots: readonly number[], nowMs: number): readonly number[];

  /** Why the slot stands out. Asked before it is reset. */
  describe(slot: number): OutlierFinding;

  /** The longest current run of failures, for status pages; 0 for rules that do not count runs. */
  consecutiveFailures?(slot: number): number;
}

/** What a rule found. */
export interface OutlierFinding {
  /** Stable name for events and metrics: `consecutive-failures`, `connect-failures`, later `success-rate` ... */
  readonly detector: string;
  /** For humans: "5 failures in a row (last: gatewayError)". */
  readonly reason: string;
}
