import { describe, expect, it } from 'vitest';
import { HealthFlag, healthStateOf, isEligible, NEVER_ELIGIBLE } from './health-state.ts';

describe('healthStateOf', () => {
  it.each([
    { flags: 0, state: 'healthy', eligible: true },
    { flags: HealthFlag.degraded, state: 'degraded', eligible: true },
    { flags: HealthFlag.reportsDegraded, state: 'degraded', eligible: true },
    { flags: HealthFlag.unchecked | HealthFlag.degraded, state: 'unchecked', eligible: false },
    { flags: HealthFlag.ejected | HealthFlag.reportsDegraded, state: 'ejected', eligible: false },
    { flags: HealthFlag.failedActiveCheck, state: 'unhealthy', eligible: false },
    {
      flags: HealthFlag.failedActiveCheck | HealthFlag.ejected,
      state: 'unhealthy',
      eligible: false,
    },
    { flags: HealthFlag.draining | 127, state: 'disabled', eligible: false },
    {
      flags: HealthFlag.circuitOpen | HealthFlag.unchecked,
      state: 'circuit-open',
      eligible: false,
    },
    { flags: HealthFlag.draining | HealthFlag.ejected, state: 'draining', eligible: false },
  ])('$flags is $state', ({ flags, state, eligible }) => {
    expect(healthStateOf(flags)).toBe(state);
    expect(isEligible(flags)).toBe(eligible);
  });

  it('gives every flag a bit of its own', () => {
    const flags = Object.values(HealthFlag);
    expect(flags.reduce((sum, flag) => sum + flag, 0)).toBe(2 ** flags.length - 1);
    expect(NEVER_ELIGIBLE & (HealthFlag.degraded | HealthFlag.reportsDegraded)).toBe(0);
  });
});
