import { describe, expect, it } from 'vitest';
import type { PastIncident } from '../examples/demo/day.ts';
import { type Sample, shareBetween, triesBetween } from '../examples/demo/sampler.ts';
import { reactionsTo } from '../examples/demo/verdict.ts';

/** Samples every 100 ms of four servers, of which `a` gets the share that is asked for, and the others the rest. */
function samplesOf(durationMs: number, shareOfA: (atMs: number) => number): Sample[] {
  const started = new Map([
    ['a', 0],
    ['b', 0],
    ['c', 0],
    ['d', 0],
  ]);
  const samples: Sample[] = [];
  for (let atMs = 0; atMs <= durationMs; atMs += 100) {
    if (atMs > 0) {
      const share = shareOfA(atMs - 100);
      for (const [id, count] of started)
        started.set(id, count + 1000 * (id === 'a' ? share : (1 - share) / 3));
    }
    samples.push({ atMs, started: new Map(started), states: new Map(), active: new Map() });
  }
  return samples;
}

function incident(parts: Partial<PastIncident>): PastIncident {
  return {
    atMs: 0,
    title: 'something happens to a',
    server: 'a',
    expectation: 'avoided',
    heals: [],
    happen: () => undefined,
    doneAtMs: 2_000,
    listedCount: 4,
    ...parts,
  };
}

describe('reactionsTo', () => {
  it('tells when a share fell below a quarter of fair for good, with the width of its window', () => {
    // Fair is 25 %, so the limit is 6.25 %. The share is 1 % from 500 ms after the incident on.
    const samples = samplesOf(6_000, (atMs) => (atMs < 2_500 ? 0.25 : 0.01));
    const [reaction] = reactionsTo([incident({})], samples);
    expect(reaction?.shareBefore).toBeCloseTo(0.25, 6);
    expect(reaction?.shareAfter).toBeCloseTo(0.01, 6);
    // A window of 300 ms that ends at 2,800 is the first with nothing of the time before 2,500; one that ends at 2,700
    // has a third of it: 9 %.
    expect(reaction?.reachedMs).toBe(800);
  });

  it('does not count a dip', () => {
    const samples = samplesOf(6_000, (atMs) => (atMs >= 2_200 && atMs < 2_800 ? 0 : 0.25));
    expect(reactionsTo([incident({})], samples)[0]?.reachedMs).toBeUndefined();
  });

  it('tells when a new server got half of its fair share', () => {
    const samples = samplesOf(6_000, (atMs) => (atMs < 2_400 ? 0 : 0.25));
    const [reaction] = reactionsTo([incident({ expectation: 'used' })], samples);
    // 12.5 % are reached when half of the window is past 2,400: 2,600 has two thirds.
    expect(reaction?.reachedMs).toBe(600);
  });

  it('looks at a bad server until it is well again', () => {
    const samples = samplesOf(8_000, (atMs) => (atMs < 2_000 || atMs >= 6_000 ? 0.25 : 0.02));
    const healed = incident({
      server: undefined,
      expectation: 'none',
      heals: ['a'],
      doneAtMs: 6_000,
    });
    const reactions = reactionsTo([incident({}), healed], samples);
    expect(reactions).toHaveLength(1);
    expect(reactions[0]?.shareAfter).toBeCloseTo(0.02, 6);
  });
});

describe('triesBetween', () => {
  it('starts anew for a server that left and came back', () => {
    const at = (atMs: number, started: [string, number][]): Sample => ({
      atMs,
      started: new Map(started),
      states: new Map(),
      active: new Map(),
    });
    const samples = [at(0, [['a', 5]]), at(100, []), at(200, [['a', 3]]), at(300, [['a', 10]])];
    expect(triesBetween(samples, 0, 300)).toEqual(new Map([['a', 10]]));
    expect(shareBetween(samples, 'a', [0, 300])).toBe(1);
    expect(shareBetween(samples, 'b', [0, 300])).toBe(0);
    expect(shareBetween([], 'a', [0, 300])).toBe(0);
  });
});
