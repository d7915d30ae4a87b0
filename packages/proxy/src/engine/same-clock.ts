/** A look at the clock. */
interface Dial {
  nowMs(): number;
}

/**
 * Do both show the same time, now and later? A real clock moves between two looks at it, and no other one shows a time
 * between those; clocks of tests stand still, and count as different.
 */
export function isSameClock(one: Dial, other: Dial): boolean {
  const before = one.nowMs();
  const between = other.nowMs();
  const after = one.nowMs();
  return before < after && before <= between && between <= after;
}
