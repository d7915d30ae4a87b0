import { describe, expect, it, vi } from 'vitest';
import { BoundedLoad } from '../../algorithm/bounded-load.ts';
import type { EndpointFields } from '../../model/endpoint.ts';
import { Outcome } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { decode } from '../../schema/decode.ts';
import { type Balancer, definePolicy } from '../policy.ts';
import { createPolicy } from '../standalone.ts';
import { endpointsOf, hashKeys, keyedPolicy } from '../test-support/keyed.ts';
import { boundedLoadSchema } from './config.ts';

describe('bounded-load options', () => {
  it('default to Maglev and a quarter above the fair share', () => {
    expect(decode(boundedLoadSchema, {}, 'policy')).toEqual({
      policy: 'maglev',
      factorPercent: 125,
    });
  });

  it.each([
    [{ factorPercent: 99 }, 'policy.factorPercent: expected an integer from 100 to 1000, got 99'],
    [{ factorPercent: 1001 }, 'policy.factorPercent: expected an integer from 100 to 1000'],
    [{ factorPercent: 112.5 }, 'policy.factorPercent: expected an integer from 100 to 1000'],
    [{ policy: 7 }, 'policy.policy: expected the name of a hash policy, alone or with its options'],
    [{ policy: {} }, 'policy.policy'],
    [
      { policy: 'bounded-load' },
      'policy.policy: expected a hash policy other than bounded-load itself',
    ],
    [
      { policy: { name: 'bounded-load' } },
      'policy.policy: expected a hash policy other than bounded-load',
    ],
    [
      { hashKey: { path: true }, policy: { name: 'maglev', hashKey: { query: 'id' } } },
      'policy.hashKey: expected one hash key source, here or in the wrapped policy',
    ],
    [{ factor: 2 }, 'policy.factor: expected no such option'],
  ])('refuse %j', (options, message) => {
    expect(() => decode(boundedLoadSchema, options, 'policy')).toThrow(message);
  });

  it('refuse a policy that does not go by keys, an unknown one, and wrong options of a known one', () => {
    const create = (policy: unknown) => () =>
      createPolicy({ name: 'bounded-load', policy }, { endpoints: endpointsOf(1) });
    expect(create('random')).toThrow(
      'policy.policy: expected a policy that goes by hash keys, got "random"',
    );
    expect(create('nonsense')).toThrow(/^policy\.policy: expected one of /);
    expect(create({ name: 'maglev', tableSize: 10 })).toThrow(
      'policy.policy.tableSize: expected a prime',
    );
  });
});

/** In-flight requests by slot, brought about by starts. */
function startMany(policy: ReturnType<typeof keyedPolicy>, counts: readonly number[]): void {
  counts.forEach((count, slot) => {
    for (let request = 0; request < count; request++) policy.start(slot, 0);
  });
}

const OPTIONS = { name: 'bounded-load', policy: 'rendezvous' };
/** A key whose home among so many endpoints is slot 0. */
function keyAtHome(endpoints: readonly EndpointFields[]): string {
  const plain = keyedPolicy('rendezvous', endpoints);
  return hashKeys(1_000).find((hashKey) => plain.pick({ hashKey }, 0) === 0)!;
}

describe('bounded-load', () => {
  const four = endpointsOf(4);
  const hashKey = keyAtHome(four);

  // Four endpoints with a total of A in flight: ceil(ceil((A + 1) * 1.25) / 4) each.
  it.each([
    { active: [0, 0, 0, 0], cap: 1, stays: true },
    { active: [1, 0, 0, 0], cap: 1, stays: false },
    { active: [1, 1, 1, 0], cap: 2, stays: true }, // ceil(4 * 1.25) = 5
    { active: [2, 1, 1, 1], cap: 2, stays: false }, // ceil(6 * 1.25) = 8: 2 each, exactly
    { active: [2, 1, 1, 2], cap: 3, stays: true }, // ceil(7 * 1.25) = 9
    { active: [3, 3, 3, 2], cap: 4, stays: true }, // ceil(12 * 1.25) = 15
    { active: [4, 3, 3, 1], cap: 4, stays: false },
  ])('keeps a key at home up to the cap: $active of at most $cap', ({ active, cap, stays }) => {
    const policy = keyedPolicy(OPTIONS, four);
    startMany(policy, active);
    const slot = policy.pick({ hashKey }, 0);
    if (stays) expect(slot).toBe(0);
    else expect(slot).not.toBe(0);
    expect(active[slot]! + 1).toBeLessThanOrEqual(cap);
  });

  it('caps in proportion to weights', () => {
    const endpoints = endpointsOf(3, (index) => [1, 2, 5][index]!);
    const policy = keyedPolicy(OPTIONS, endpoints);
    startMany(policy, [1, 2, 4]);
    // 8 * 1.25 = 10 slots: ceil(10/8) = 2, ceil(20/8) = 3 and ceil(50/8) = 7.
    const caps = policy
      .explain({}, 0)
      .map(({ slot, reason }) => [slot, /at most (\d+)/.exec(reason)?.[1]]);
    expect(caps.sort()).toEqual([
      [0, '2'],
      [1, '3'],
      [2, '7'],
    ]);
  });

  it('overflows the same way for the same key, and in many ways for many keys', () => {
    const endpoints = endpointsOf(20);
    const plain = keyedPolicy('rendezvous', endpoints);
    const homed = hashKeys(3_000).filter((key) => plain.pick({ hashKey: key }, 0) === 0);
    const full = endpoints.map((_, slot) => (slot === 0 ? 9 : 0));
    const overflowOf = (seed: number): number[] => {
      const policy = keyedPolicy(OPTIONS, endpoints, seed);
      startMany(policy, full);
      return homed.map((key) => policy.pick({ hashKey: key }, 0));
    };
    const slots = overflowOf(1);
    expect(overflowOf(2)).toEqual(slots);
    expect(slots).not.toContain(0);
    // Some 150 keys over 19 others: a walk along a ring would find a single neighbour.
    expect(new Set(slots).size).toBeGreaterThan(15);
  });

  it('passes over members that are full or excluded', () => {
    const policy = keyedPolicy(OPTIONS, four);
    startMany(policy, [3, 3, 0, 0]);
    expect(policy.pick({ hashKey, exclude: [2] }, 0)).toBe(3);
    expect(policy.pick({ hashKey, exclude: [3] }, 0)).toBe(2);
  });

  it('takes the least loaded when exclusions leave only full ones, and none when they leave none', () => {
    const policy = keyedPolicy(OPTIONS, four);
    startMany(policy, [5, 4, 3, 0]);
    // ceil(13 * 1.25) = 17 slots, 5 each.
    expect(policy.pick({ hashKey, exclude: [3] }, 0)).not.toBe(0);
    startMany(policy, [0, 3, 3, 0]);
    // ceil(19 * 1.25) = 24, 6 each: 0 has room now, 1 and 2 are over.
    expect(policy.pick({ hashKey, exclude: [0, 3] }, 0)).toBe(2);
    expect(policy.pick({ hashKey, exclude: [0, 1, 2, 3] }, 0)).toBe(NO_SLOT);
  });

  it('counts the requests of members only', () => {
    const policy = keyedPolicy(OPTIONS, four);
    startMany(policy, [1, 0, 0, 9]);
    // The endpoint of slot 3 goes, its nine requests drain: the cap is that of two requests on three endpoints.
    policy.update(four.slice(0, 3));
    const home = keyAtHome(four.slice(0, 3));
    expect(policy.pick({ hashKey: home }, 0)).not.toBe(0);
    // Their ends count for nothing either.
    for (let request = 0; request < 9; request++) policy.finish(3, Outcome.success, 1, 0);
    expect(policy.pick({ hashKey: home }, 0)).not.toBe(0);
    policy.finish(0, Outcome.success, 1, 0);
    expect(policy.pick({ hashKey: home }, 0)).toBe(0);
  });

  it('learns in time what others do to a shared load table', () => {
    const policy = keyedPolicy(OPTIONS, four);
    startMany(policy, [1, 0, 0, 0]);
    expect(policy.pick({ hashKey }, 0)).not.toBe(0);
    // Another thread starts 30 requests elsewhere. Until the next sum the cap is only too low, never too high.
    policy.load.active.set([10, 10, 10], 1);
    const slots = Array.from({ length: 100 }, () => policy.pick({ hashKey }, 0));
    expect(slots.at(-1)).toBe(0);
  });

  it('draws the endpoint at random without a key, within the caps', () => {
    const policy = keyedPolicy(OPTIONS, four);
    startMany(policy, [2, 2, 2, 0]);
    // ceil(7 * 1.25) = 9 slots, 3 each: all have room.
    const slots = new Set(Array.from({ length: 100 }, () => policy.pick({}, 0)));
    expect(slots.size).toBe(4);
    startMany(policy, [3, 3, 3, 0]);
    // ceil(16 * 1.25) = 20 slots, 5 each.
    expect(new Set(Array.from({ length: 100 }, () => policy.pick({}, 0)))).toEqual(new Set([3]));
  });

  it('explains home, overflow and load', () => {
    const policy = keyedPolicy(OPTIONS, four);
    expect(policy.explain({ hashKey }, 0)[0]).toMatchObject({
      slot: 0,
      shareRatio: 0.25,
      reason: expect.stringMatching(/^0 in flight of at most 1; owner of the key: /),
    });
    startMany(policy, [1, 0, 0, 0]);
    const candidates = policy.explain({ hashKey }, 0);
    expect(candidates[0]?.slot).toBe(policy.pick({ hashKey }, 0));
    expect(candidates[0]?.reason).toMatch(
      /^takes the overflow of 10\.0\.0\.0:80; 0 in flight of at most 1; /,
    );
    expect(candidates.at(-1)).toMatchObject({
      slot: 0,
      reason: expect.stringMatching(/^1 in flight of at most 1, full; owner of the key: /),
    });
  });
});

describe('bounded-load around a policy of the user', () => {
  const hooks = {
    onStart: vi.fn<NonNullable<Balancer['onStart']>>(),
    onResponse: vi.fn<NonNullable<Balancer['onResponse']>>(),
    onFinish: vi.fn<NonNullable<Balancer['onFinish']>>(),
    onPushback: vi.fn<NonNullable<Balancer['onPushback']>>(),
    close: vi.fn<() => void>(),
  };
  const first = definePolicy({
    name: 'first',
    keyed: true,
    create: (): Balancer => ({
      update: ({ slots }) => ({
        pick: ({ exclude = [] }) => slots.find((slot) => !exclude.includes(slot)) ?? NO_SLOT,
        explain: () => [...slots].map((slot) => ({ slot, reason: 'in order' })),
      }),
      ...hooks,
    }),
  });
  const options = {
    endpoints: endpointsOf(3),
    policies: [first, { ...first, name: 'unkeyed', keyed: false }],
    random: new XorShift128(1),
  };

  it('works with any keyed one, and hands every event on to it', () => {
    const policy = createPolicy({ name: 'bounded-load', policy: 'first' }, options);
    expect(policy.pick({ hashKey: 'a' }, 0)).toBe(0);
    policy.start(0, 1);
    expect(policy.pick({ hashKey: 'a' }, 0)).not.toBe(0);
    policy.respond(0, 5, 6);
    policy.finish(0, Outcome.success, 7, 8);
    policy.pushback(0, 9, 10);
    policy.close();
    expect(hooks.onStart).toHaveBeenCalledExactlyOnceWith(0, 1);
    expect(hooks.onResponse).toHaveBeenCalledExactlyOnceWith(0, 5, 6);
    expect(hooks.onFinish).toHaveBeenCalledExactlyOnceWith(0, Outcome.success, 7, 8);
    expect(hooks.onPushback).toHaveBeenCalledExactlyOnceWith(0, 9, 10);
    expect(hooks.close).toHaveBeenCalledOnce();
  });

  it('closes what it refuses', () => {
    hooks.close.mockClear();
    expect(() => createPolicy({ name: 'bounded-load', policy: 'unkeyed' }, options)).toThrow(
      'policy.policy',
    );
    expect(hooks.close).toHaveBeenCalledOnce();
  });
});

describe('BoundedLoad.pick with exclusions', () => {
  it('finds the only allowed one with room, from any seed', () => {
    const active = Int32Array.of(3, 0, 0, 0, 3);
    const bounds = new BoundedLoad({ active, endpointCount: 5 });
    for (let seed = 0; seed < 200; seed++) {
      expect(bounds.pick(0, Math.imul(seed, 0x9e3779b9), 6, [1, 3])).toBe(2);
      expect(bounds.pick(0, seed, 6, [1, 2, 3])).toBe(0);
    }
  });
});
