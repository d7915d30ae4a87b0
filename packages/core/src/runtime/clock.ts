/** Time as a port: virtual in tests and in the simulator. */
export interface Clock {
  /** Milliseconds with fractions since an arbitrary start; never goes back. For durations. */
  nowMs(): number;
  /** Milliseconds since 1970, may jump. Only for what leaves the process or comes in: logs, HTTP dates. */
  wallMs(): number;
}

/**
 * The real clock. `process.hrtime.bigint` is read instead of `performance.now` because it is the cheaper of the two
 * (28 against 49 ns per read on the machine it was measured on), and the hot path reads it twice per request.
 */
export const systemClock: Clock = {
  nowMs: () => Number(process.hrtime.bigint()) / 1e6,
  wallMs: () => Date.now(),
};
