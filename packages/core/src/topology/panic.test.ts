import { describe, expect, it } from 'vitest';
import { HealthFlag } from '../model/health-state.ts';
import { DEFAULT_PANIC_THRESHOLD_PERCENT, isPanic, isPresumedHealthy } from './panic.ts';

describe('isPanic', () => {
  // The same table stands in docs/concepts/panic.md.
  it.each([
    { healthy: 4, total: 4, threshold: 50, panic: false },
    { healthy: 3, total: 4, threshold: 50, panic: false },
    { healthy: 2, total: 4, threshold: 50, panic: false },
    { healthy: 1, total: 4, threshold: 50, panic: true },
    { healthy: 0, total: 4, threshold: 50, panic: true },
    { healthy: 0, total: 1, threshold: 50, panic: true },
    { healthy: 0, total: 0, threshold: 50, panic: false },
    { healthy: 0, total: 4, threshold: 0, panic: false },
    { healthy: 3, total: 4, threshold: 100, panic: true },
    { healthy: 4, total: 4, threshold: 100, panic: false },
    { healthy: 1, total: 3, threshold: 33.3, panic: false },
    { healthy: 1, total: 3, threshold: 33.4, panic: true },
  ])('$healthy of $total healthy, threshold $threshold %: $panic', (row) => {
    expect(isPanic(row.healthy, row.total, row.threshold)).toBe(row.panic);
  });

  it('needs more than half unhealthy by default', () => {
    expect(isPanic(5000, 10_000, DEFAULT_PANIC_THRESHOLD_PERCENT)).toBe(false);
    expect(isPanic(4999, 10_000, DEFAULT_PANIC_THRESHOLD_PERCENT)).toBe(true);
  });
});

describe('isPresumedHealthy', () => {
  it.each([
    { name: 'healthy', flags: 0, presumed: true },
    { name: 'unchecked', flags: HealthFlag.unchecked, presumed: true },
    { name: 'degraded', flags: HealthFlag.degraded, presumed: true },
    { name: 'degraded and failed', flags: HealthFlag.degraded | 1, presumed: false },
    { name: 'failed', flags: HealthFlag.failedActiveCheck, presumed: false },
    { name: 'ejected', flags: HealthFlag.ejected, presumed: false },
    {
      name: 'unchecked and ejected',
      flags: HealthFlag.unchecked | HealthFlag.ejected,
      presumed: false,
    },
  ])('$name: $presumed', ({ flags, presumed }) => {
    expect(isPresumedHealthy(flags)).toBe(presumed);
  });

  it('does not let a cluster that waits for its first verdicts panic', () => {
    const flags = new Array<number>(10).fill(HealthFlag.unchecked);
    expect(isPanic(flags.filter(isPresumedHealthy).length, flags.length, 50)).toBe(false);
    // Five of ten failed their first check: half are still presumed healthy. With the sixth it is panic.
    flags.fill(HealthFlag.failedActiveCheck, 0, 5);
    expect(isPanic(flags.filter(isPresumedHealthy).length, flags.length, 50)).toBe(false);
    flags[5] = HealthFlag.failedActiveCheck;
    expect(isPanic(flags.filter(isPresumedHealthy).length, flags.length, 50)).toBe(true);
  });
});
