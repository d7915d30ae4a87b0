import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isExcluded, NO_SLOT } from '../model/pick-context.ts';
import { definePolicy } from './policy.ts';
import { createPolicy } from './standalone.ts';

/** What a user writes: the first endpoint, by order of weight, that has room for another request. */
const fillUp = definePolicy<{ max: number }>({
  name: 'fill-up',
  keyed: false,
  schema: z.strictObject({ max: z.number().int().min(1).default(2) }),
  create: ({ max }, { load }) => ({
    update: ({ slots, weights }) => {
      const order = [...slots.keys()].sort((a, b) => weights[b]! - weights[a]!);
      const bySlot = order.map((index) => slots[index]!);
      return {
        pick: (context) =>
          bySlot.find((slot) => load.active[slot]! < max && !isExcluded(context, slot)) ?? NO_SLOT,
        explain: () =>
          bySlot.map((slot) => ({ slot, reason: `${load.active[slot]} of ${max} taken` })),
      };
    },
  }),
});

describe('a policy of the user', () => {
  const endpoints = [
    { address: 'small:80', weight: 1 },
    { address: 'large:80', weight: 5 },
  ];

  it('is driven like the others', () => {
    const policy = createPolicy('fill-up', { endpoints, policies: [fillUp] });
    const taken = [1, 2, 3, 4].map(() => {
      const slot = policy.pick();
      policy.start(slot);
      return policy.endpoint(slot)?.id;
    });
    expect(taken).toEqual(['large:80', 'large:80', 'small:80', 'small:80']);
    expect(policy.pick()).toBe(NO_SLOT);
    expect(policy.explain()[0]).toEqual({ slot: 1, reason: '2 of 2 taken' });
  });

  it('takes options, checked like those of the others', () => {
    const policy = createPolicy({ name: 'fill-up', max: 1 }, { endpoints, policies: [fillUp] });
    policy.start(policy.pick());
    expect(policy.endpoint(policy.pick())?.id).toBe('small:80');
    expect(policy.endpoint(policy.pick({ exclude: [0] }))).toBeUndefined();
    expect(() =>
      createPolicy({ name: 'fill-up', max: 0 }, { endpoints, policies: [fillUp] }),
    ).toThrow(/^policy\.max/);
  });

  it('without a schema takes no options', () => {
    const { schema: _, ...bare } = fillUp;
    expect(() =>
      createPolicy({ name: 'fill-up', max: 1 }, { endpoints, policies: [definePolicy(bare)] }),
    ).toThrow("policy.max: expected no option: policy 'fill-up' takes none, got 1");
  });
});
