/** What the monotonic clock, in nanoseconds, has to be added to for the time of day. */
export function epochNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
}
