import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../../runtime/random.ts';
import { firstDelayMs, initialSpreadMs, nextIntervalMs, phaseOf } from './schedule.ts';
import { httpCheckSchema } from './http-config.ts';

const configOf = (options: object = {}) => httpCheckSchema.parse(options);

/** How many phases fall into each of 100 equal slices. */
function slices(phases: readonly number[]): number[] {
  const counts = new Array<number>(100).fill(0);
  for (const phase of phases) {
    const slice = Math.floor(phase * 100);
    counts[slice] = (counts[slice] ?? 0) + 1;
  }
  return counts;
}

// 10,000 draws into 100 slices: binomial with mean 100, standard deviation 10. Five deviations bound all slices.
const MOST_PER_SLICE = 150;
const LEAST_PER_SLICE = 50;

describe('phaseOf', () => {
  it.each([
    {
      name: 'neighbouring addresses',
      ids: Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}:8080`),
    },
    {
      name: 'neighbouring ports',
      ids: Array.from({ length: 10_000 }, (_, index) => `10.0.0.1:${index + 1024}`),
    },
  ])('spreads $name evenly', ({ ids }) => {
    const counts = slices(ids.map((id) => phaseOf('users', id, 1)));
    expect(Math.max(...counts)).toBeLessThanOrEqual(MOST_PER_SLICE);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(LEAST_PER_SLICE);
  });

  it('spreads one endpoint evenly over the processes of a fleet', () => {
    const random = new XorShift128(3);
    const seeds = Array.from({ length: 10_000 }, () => random.nextInt32());
    const counts = slices(seeds.map((seed) => phaseOf('users', '10.0.0.1:80', seed)));
    expect(Math.max(...counts)).toBeLessThanOrEqual(MOST_PER_SLICE);
  });

  it('is the same for the same endpoint, and another in another cluster', () => {
    expect(phaseOf('users', 'a:1', 5)).toBe(phaseOf('users', 'a:1', 5));
    expect(phaseOf('users', 'a:1', 5)).not.toBe(phaseOf('orders', 'a:1', 5));
  });
});

describe('initialSpreadMs', () => {
  it.each([
    { name: 'a whole interval', options: { intervalMs: 5000 }, expected: 5000 },
    { name: 'what is given', options: { intervalMs: 5000, initialSpreadMs: 0 }, expected: 0 },
    {
      name: 'at most a second while traffic waits',
      options: { intervalMs: 5000, initial: 'unchecked' },
      expected: 1000,
    },
    {
      name: 'no more than an interval while traffic waits',
      options: { intervalMs: 300, initial: 'unchecked' },
      expected: 300,
    },
    {
      name: 'what is given also while traffic waits',
      options: { initial: 'unchecked', initialSpreadMs: 4000 },
      expected: 4000,
    },
  ])('is $name', ({ options, expected }) => {
    expect(initialSpreadMs(configOf(options))).toBe(expected);
  });
});

describe('firstDelayMs', () => {
  const random = new XorShift128(4);

  it('is a share of a jittered spread', () => {
    const config = configOf({ intervalMs: 1000, jitterRatio: 0.1 });
    expect(firstDelayMs(config, 0, random)).toBe(0);
    const draws = Array.from({ length: 1000 }, () => firstDelayMs(config, 0.5, random));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(450);
    expect(Math.max(...draws)).toBeLessThan(550);
  });

  it('starts in equilibrium: the rate of checks is level from the beginning', () => {
    const config = configOf({ intervalMs: 1000, jitterRatio: 0.1 });
    const perSlice = new Array<number>(30).fill(0);
    const endpoints = 20_000;
    for (let endpoint = 0; endpoint < endpoints; endpoint++) {
      let atMs = firstDelayMs(config, endpoint / endpoints, random);
      for (; atMs < 3000; atMs += nextIntervalMs(config, true, random)) {
        const slice = Math.floor(atMs / 100);
        perSlice[slice] = (perSlice[slice] as number) + 1;
      }
    }
    // 2,000 per slice, standard deviation at most sqrt(2000) = 45; a sharp spread would give 3,000 and 1,000.
    for (const count of perSlice) expect(Math.abs(count - 2000)).toBeLessThan(5 * 45);
  });
});

describe('nextIntervalMs', () => {
  const random = new XorShift128(9);

  it('stays within the jitter', () => {
    const config = configOf({ intervalMs: 1000, jitterRatio: 0.2 });
    const draws = Array.from({ length: 1000 }, () => nextIntervalMs(config, true, random));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...draws)).toBeLessThan(1200);
    expect(new Set(draws).size).toBeGreaterThan(990);
  });

  it('takes the other interval for unhealthy endpoints only', () => {
    const config = configOf({ intervalMs: 1000, unhealthyIntervalMs: 100, jitterRatio: 0 });
    expect(nextIntervalMs(config, undefined, random)).toBe(1000);
    expect(nextIntervalMs(config, true, random)).toBe(1000);
    expect(nextIntervalMs(config, false, random)).toBe(100);
  });

  it('takes the same for both when none is given', () => {
    expect(nextIntervalMs(configOf({ intervalMs: 1000, jitterRatio: 0 }), false, random)).toBe(
      1000,
    );
  });
});
