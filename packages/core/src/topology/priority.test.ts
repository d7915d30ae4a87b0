import { describe, expect, it } from 'vitest';
import { type LevelHealth, priorityLoads } from './priority.ts';

const RULE = { overprovisioningFactor: 1.4, panicThresholdPercent: 50 };

/** A level of 100 endpoints. */
function level(healthyPercent: number, degradedPercent = 0): LevelHealth {
  return {
    healthyCount: healthyPercent,
    degradedCount: degradedPercent,
    presumedHealthyCount: healthyPercent + degradedPercent,
    candidateCount: 100,
  };
}

function loadsOf(levels: readonly LevelHealth[], rule = RULE): string {
  return priorityLoads(levels, rule)
    .map(({ healthyPercent, degradedPercent, panic }) => {
      const spared = degradedPercent > 0 ? `+${degradedPercent}d` : '';
      return `${healthyPercent}${spared}${panic ? '!' : ''}`;
    })
    .join(' ');
}

// The tables stand in docs/concepts/priorities.md as well; `!` is panic, `d` what goes to degraded endpoints.
describe('priorityLoads: the table of two levels', () => {
  it.each([
    { healthy: [100, 100], loads: '100 0' },
    { healthy: [72, 72], loads: '100 0' },
    { healthy: [71, 71], loads: '99 1' },
    { healthy: [50, 60], loads: '70 30' },
    { healthy: [25, 100], loads: '35 65' },
    { healthy: [0, 100], loads: '0 100' },
    // Not enough for everything: loads are scaled up to 100 together, and what rounding leaves goes to the first.
    { healthy: [5, 65], loads: '8! 92' },
    // All in panic: the load goes by their sizes.
    { healthy: [40, 20], loads: '50! 50!' },
    { healthy: [25, 25], loads: '50! 50!' },
    { healthy: [0, 60], loads: '0! 100' },
    { healthy: [0, 0], loads: '50! 50!' },
  ])('$healthy % healthy: $loads', ({ healthy, loads }) => {
    expect(loadsOf(healthy.map((percent) => level(percent)))).toBe(loads);
  });
});

describe('priorityLoads: the table of three levels', () => {
  it.each([
    { healthy: [100, 100, 100], loads: '100 0 0' },
    { healthy: [71, 71, 100], loads: '99 1 0' },
    { healthy: [50, 50, 100], loads: '70 30 0' },
    { healthy: [25, 100, 100], loads: '35 65 0' },
    { healthy: [25, 25, 100], loads: '35 35 30' },
    { healthy: [25, 25, 20], loads: '34! 33! 33!' },
  ])('$healthy % healthy: $loads', ({ healthy, loads }) => {
    expect(loadsOf(healthy.map((percent) => level(percent)))).toBe(loads);
  });
});

describe('priorityLoads: degraded endpoints', () => {
  it.each([
    // One level: the healthy ones take what they can, the degraded ones the rest.
    { levels: [level(72, 28)], loads: '100' },
    { levels: [level(70, 30)], loads: '98+2d' },
    { levels: [level(50, 50)], loads: '70+30d' },
    { levels: [level(0, 100)], loads: '0+100d' },
    { levels: [level(30, 10)], loads: '75+25d!' },
    // Two levels: healthy load over both first, and only then degraded.
    { levels: [level(50, 50), level(100)], loads: '70 30' },
    { levels: [level(25, 75), level(25, 75)], loads: '35+30d 35' },
    { levels: [level(0, 80), level(0, 80)], loads: '0+100d 0' },
  ])('$levels: $loads', ({ levels, loads }) => {
    expect(loadsOf(levels)).toBe(loads);
  });

  it('scales healthy and degraded shares together when neither is enough', () => {
    // 10, 20, 10 % available as healthy and 20, 10, 0 % as degraded: 70 in all, so every percent counts 100 / 70.
    const levels = [
      { healthyCount: 10, degradedCount: 20, presumedHealthyCount: 30, candidateCount: 140 },
      { healthyCount: 20, degradedCount: 10, presumedHealthyCount: 30, candidateCount: 140 },
      { healthyCount: 10, degradedCount: 0, presumedHealthyCount: 10, candidateCount: 140 },
    ];
    const rule = { ...RULE, panicThresholdPercent: 0 };
    // floor: 14 + 28 + 14 and 28 + 14 + 0 make 98; the first healthy level takes the 2 that are left.
    expect(loadsOf(levels, rule)).toBe('16+28d 28+14d 14');
  });
});

describe('priorityLoads: panic', () => {
  it('of a single level is the plain rule, whatever the availability', () => {
    expect(loadsOf([level(75)], { ...RULE, panicThresholdPercent: 100 })).toBe('100!');
    expect(loadsOf([level(49)])).toBe('100!');
    expect(loadsOf([level(50)])).toBe('100');
  });

  it('counts degraded endpoints as healthy', () => {
    expect(loadsOf([level(10, 40)])).toBe('20+80d');
    expect(loadsOf([level(10, 39)])).toBe('21+79d!');
  });

  it('of all levels divides by their sizes', () => {
    const dead = (candidateCount: number): LevelHealth => ({
      healthyCount: 0,
      degradedCount: 0,
      presumedHealthyCount: 0,
      candidateCount,
    });
    expect(loadsOf([dead(30), dead(10)])).toBe('75! 25!');
    expect(loadsOf([dead(1), dead(1), dead(1)])).toBe('34! 33! 33!');
  });

  it('does not come from levels of which nothing is known yet', () => {
    const unknown = { ...level(0), presumedHealthyCount: 100 };
    expect(loadsOf([unknown])).toBe('100');
    // Nobody may be picked in the first level, and the second one is the only one to panic.
    expect(loadsOf([unknown, level(0)])).toBe('0 100!');
  });

  it('switched off sends to the first that has anyone', () => {
    const rule = { ...RULE, panicThresholdPercent: 0 };
    expect(loadsOf([level(0), level(0)], rule)).toBe('100 0');
    // 1 of 1000 is not a whole percent; it is there all the same.
    const few = { ...level(1), candidateCount: 1000 };
    expect(loadsOf([level(0), few], rule)).toBe('0 100');
    expect(loadsOf([level(0), { ...few, healthyCount: 0, degradedCount: 1 }], rule)).toBe(
      '0 0+100d',
    );
  });
});
