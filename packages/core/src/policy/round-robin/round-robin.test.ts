import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';

function roundRobin(endpoints: readonly string[], seed = 1): StandalonePolicy {
  return createPolicy('round-robin', { endpoints, random: new XorShift128(seed) });
}

function take(policy: StandalonePolicy, count: number, exclude?: readonly number[]): number[] {
  return Array.from({ length: count }, () => policy.pick({ exclude }, 0));
}

const FIVE = ['a:1', 'b:1', 'c:1', 'd:1', 'e:1'];

describe('round robin', () => {
  it('takes one after the other, around', () => {
    const policy = roundRobin(FIVE);
    const first = policy.pick({}, 0);
    const expected = Array.from({ length: 12 }, (_, step) => (first + 1 + step) % 5);
    expect(take(policy, 12)).toEqual(expected);
  });

  it('starts anywhere: a fleet of clients does not march in step', () => {
    const starts = new Set(
      Array.from({ length: 100 }, (_, seed) => roundRobin(FIVE, seed).pick({}, 0)),
    );
    // A start is missed by all of 100 clients with probability 0.8^100 = 2e-10.
    expect(starts.size).toBe(5);
  });

  it('gives the turn of an excluded endpoint to the next', () => {
    const policy = roundRobin(FIVE);
    const start = policy.pick({}, 0);
    const at = (step: number): number => (start + step) % 5;
    expect(take(policy, 2, [at(1), at(2)])).toEqual([at(3), at(4)]);
    expect(take(policy, 1)).toEqual([start]);
  });

  it('goes on where it was when members come and go', () => {
    const policy = roundRobin(FIVE);
    const start = policy.pick({}, 0);
    const next = FIVE[(start + 1) % 5] ?? '';
    for (let flap = 0; flap < 10; flap++) {
      policy.update(FIVE.filter((_, slot) => slot !== start));
      policy.update(FIVE);
    }
    expect(policy.endpoint(policy.pick({}, 0))?.id).toBe(next);
  });

  it('does not start over after a time without members', () => {
    const policy = roundRobin(FIVE);
    const start = policy.pick({}, 0);
    // With requests in flight the endpoints keep their slots.
    for (const slot of [0, 1, 2, 3, 4]) policy.start(slot, 0);
    policy.update([]);
    policy.update(FIVE);
    expect(policy.pick({}, 0)).toBe((start + 1) % 5);
  });

  it('stays even while members flap at every pick', () => {
    const policy = roundRobin(FIVE);
    const counts = [0, 0, 0, 0, 0];
    for (let pick = 0; pick < 1_000; pick++) {
      policy.update(pick % 2 === 0 ? FIVE.slice(0, 4) : FIVE);
      const slot = policy.pick({}, 0);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    // e is there half of the time only. Starting over at the first would give a half and b nothing of it.
    for (const count of counts.slice(0, 4)) expect(count).toBeGreaterThan(150);
  });

  it('explains whose turn it is', () => {
    const policy = roundRobin(['a:1', 'b:1', 'c:1']);
    const [first, second, third] = policy.explain({}, 0);
    expect([first, second, third].map((candidate) => candidate?.reason)).toEqual([
      'its turn',
      'after 1 other',
      'after 2 others',
    ]);
    expect(policy.pick({}, 0)).toBe(first?.slot);
    expect(policy.pick({}, 0)).toBe(second?.slot);
  });
});
