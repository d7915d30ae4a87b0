import type { Endpoint } from './endpoint.ts';

/**
 * The endpoints that a policy may choose from, after health and topology have spoken: parallel arrays, one entry per
 * eligible endpoint, sorted by slot. Immutable; a change makes a new one.
 */
export interface Members {
  /** Grows with every publication of the cluster. */
  readonly version: number;
  /** Slot of each member. */
  readonly slots: Int32Array;
  /** Effective weight of each member, above 0. */
  readonly weights: Float64Array;
  /**
   * What topology has multiplied each weight by (slow start, a part of an aperture), above 0; left out while that is the
   * same for all. `weights` contain it: it is for policies that give equal shares whatever the weights.
   */
  readonly factors?: Float64Array | undefined;
  /** The members themselves. */
  readonly endpoints: readonly Endpoint[];
}

/** No one to choose from. */
export const NO_MEMBERS: Members = Object.freeze({
  version: 0,
  slots: new Int32Array(0),
  weights: new Float64Array(0),
  endpoints: Object.freeze([]),
});
