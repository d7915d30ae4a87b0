/** What happens when servers go and come, and when there is too much to do. */
import { describe, expect, it } from 'vitest';
import type { SimulationResult } from '../result.ts';
import { simulate } from '../simulate.ts';
import { deployWave, outage, overload, zoneLoss } from './change.ts';

/** Share of all attempts that went to one zone between two times, 1 being fair. */
function shareOfZone(
  result: SimulationResult,
  zone: string,
  [fromMs, untilMs]: readonly [number, number],
): number {
  const { timeline, servers } = result;
  const from = Math.ceil(fromMs / timeline.stepMs);
  const until = Math.floor(untilMs / timeline.stepMs);
  const countOf = (index: number): number =>
    timeline.attempts[index]?.slice(from, until).reduce((sum, count) => sum + count, 0) ?? 0;
  const all = servers.reduce((sum, { index }) => sum + countOf(index), 0);
  const inZone = servers.filter((server) => server.zone === zone);
  const own = inZone.reduce((sum, { index }) => sum + countOf(index), 0);
  return own / all / (inZone.length / servers.length);
}

describe('a zone that is lost and comes back', () => {
  const result = simulate({ ...zoneLoss, clients: 10, durationMs: 26_000 });

  it('costs next to no request: retries go to the other zones', () => {
    expect(result.errorPercent).toBeLessThan(0.1);
    expect(result.attemptCount / result.requestCount).toBeLessThan(1.05);
  });

  it('is left alone while it is gone, and has its share again within 12 s', () => {
    expect(shareOfZone(result, 'c', [2_000, 8_000])).toBeCloseTo(1, 1);
    expect(shareOfZone(result, 'c', [9_500, 14_000])).toBeLessThan(0.05);
    expect(shareOfZone(result, 'c', [26_000, 30_000])).toBeGreaterThan(0.9);
  });

  it('leaves nothing in flight after the storm', () => {
    expect(result.leakedCount).toBe(0);
  });
});

describe('a deploy wave', () => {
  it('does not flood who comes back: no tail beyond that of round robin', () => {
    const scenario = { ...deployWave, durationMs: 12_000 };
    const roundRobin = simulate(scenario, { policy: 'round-robin' });
    // 66 ms; 84 when newcomers counted as the mean of all answers.
    expect(simulate(scenario).p99Ms).toBeLessThan(roundRobin.p99Ms);
  });

  it('costs no request', () => {
    const result = simulate({ ...deployWave, warmUpMs: 2_000, durationMs: 8_000 });
    expect(result.errorPercent).toBe(0);
    expect(result.attemptCount).toBe(result.requestCount);
    expect(result.leakedCount).toBe(0);
  });
});

describe('an outage of all', () => {
  it('is not made worse by retries, and ends when it ends', () => {
    const result = simulate({ ...outage, durationMs: 10_000 });
    // From 7 to 12 s nothing can succeed: half of the measured time.
    expect(result.errorPercent).toBeLessThan(51);
    const { stepMs, errorPercent } = result.timeline;
    expect(errorPercent.slice(Math.ceil(12_500 / stepMs)).every((percent) => percent < 0.1)).toBe(
      true,
    );
    expect(result.attemptCount / result.requestCount).toBeLessThan(1.25);
    expect(result.leakedCount).toBe(0);
  });
});

describe('an overload', () => {
  it('is over soon after the load has fallen', () => {
    const result = simulate(overload);
    const { stepMs, errorPercent, goodPerSecond } = result.timeline;
    // 20 % too many for 5 s of climbing and staying leave a queue of a deadline at most: 1 s, and 2 for stragglers.
    const after = Math.ceil(17_000 / stepMs);
    const tail = errorPercent.slice(after);
    expect(tail.reduce((sum, percent) => sum + percent, 0) / tail.length).toBeLessThan(1);
    expect(Math.min(...goodPerSecond)).toBeGreaterThan(result.capacityPerSecond * 0.4);
    expect(result.leakedCount).toBe(0);
  });
});
