import { createManualRuntime } from '@evenkeel/core/testing';
import { describe, expect, it } from 'vitest';
import { isSameClock } from './same-clock.ts';

describe('isSameClock', () => {
  it('knows a clock again', () => {
    const clock = { nowMs: () => Number(process.hrtime.bigint()) / 1e6 };
    const again = { nowMs: () => clock.nowMs() };
    expect(isSameClock(clock, again)).toBe(true);
  });

  it('tells clocks of different beginnings apart', () => {
    const clock = { nowMs: () => Number(process.hrtime.bigint()) / 1e6 };
    expect(isSameClock(clock, { nowMs: () => clock.nowMs() + 1_000 })).toBe(false);
    expect(isSameClock(clock, { nowMs: () => clock.nowMs() - 1_000 })).toBe(false);
  });

  it('never trusts clocks that stand still', () => {
    const { clock } = createManualRuntime();
    expect(isSameClock(clock, clock)).toBe(false);
  });
});
