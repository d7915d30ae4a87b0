/** How many requests an endpoint or a cluster can take at once, learnt from how long they take. */
export interface LimitAlgorithm {
  /** The estimate; fractions matter to the next step, whole requests are admitted. */
  readonly limit: number;

  /**
   * Takes a measurement, of one request or of a short window of them.
   *
   * @param rttMs time from sending to answer, above 0; ignored when dropped
   * @param inFlight most requests in flight meanwhile
   * @param dropped did the other side show that it was too much: refused, or too late?
   */
  sample(rttMs: number, inFlight: number, dropped: boolean): void;

  /** The time an answer takes when nothing queues has been measured anew. */
  rebase(rttMs: number): void;
}

/** Bounds of every algorithm. */
export interface LimitBounds {
  readonly initialLimit: number;
  readonly minLimit: number;
  readonly maxLimit: number;
}

/** `limit` within the bounds. */
export function bounded(limit: number, { minLimit, maxLimit }: LimitBounds): number {
  return Math.max(minLimit, Math.min(maxLimit, limit));
}
