import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEndpoint, type Endpoint } from '../model/endpoint.ts';
import type { Members } from '../model/members.ts';
import { keyedMembersOf, spreadAlike } from './keyed-members.ts';

function membersOf(
  ...endpoints: readonly (readonly [id: string, hashKey: string, weight?: number])[]
): Members {
  return {
    version: 1,
    slots: Int32Array.from(endpoints, (_, index) => 10 + index),
    weights: Float64Array.from(endpoints, ([, , weight = 1]) => weight),
    endpoints: endpoints.map(([id, hashKey]): Endpoint =>
      createEndpoint({ address: '10.0.0.1:80', id, hashKey }),
    ),
  };
}

/** Key by id. */
function keysById(members: Members): Record<string, string> {
  const { keys, endpoints } = keyedMembersOf(members);
  return Object.fromEntries(endpoints.map(({ id }, index) => [id, keys[index]!]));
}

describe('keyedMembersOf', () => {
  it('sorts by key and keeps the columns together', () => {
    const keyed = keyedMembersOf(membersOf(['a', 'z', 3], ['b', 'k', 0.5], ['c', 'm', 2]));
    expect(keyed.keys).toEqual(['k', 'm', 'z']);
    expect([...keyed.weights]).toEqual([0.5, 2, 3]);
    expect([...keyed.slots]).toEqual([11, 12, 10]);
    expect(keyed.endpoints.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(keyed.count).toBe(3);
  });

  it('gives a key that several ask for to the lowest id; the others go by their ids', () => {
    expect(keysById(membersOf(['c', 'x'], ['a', 'x'], ['b', 'x']))).toEqual({
      a: 'x',
      b: 'b',
      c: 'c',
    });
  });

  it('gives an id that is the wish of another to that one', () => {
    expect(keysById(membersOf(['a', 'x'], ['b', 'x'], ['d', 'b']))).toEqual({
      a: 'x',
      b: 'b#1',
      d: 'b',
    });
  });

  it('goes by the id where the key is empty', () => {
    expect(keysById(membersOf(['a', ''], ['b', 'x']))).toEqual({ a: 'a', b: 'x' });
  });

  it('takes keys from wherever the policy says', () => {
    const { keys } = keyedMembersOf(membersOf(['a', 'x'], ['b', 'y']), ({ id }) => `key of ${id}`);
    expect(keys).toEqual(['key of a', 'key of b']);
  });

  it('gives distinct keys, the same in any order', () => {
    const few = fc.constantFrom('', 'a', 'b', 'c', 'a#1');
    const sets = fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'a#1', 'b#1'), few), {
        selector: ([id]) => id,
      })
      .chain((set) =>
        fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length })),
      );
    const property = fc.property(sets, ([set, shuffled]) => {
      const { keys } = keyedMembersOf(membersOf(...set));
      expect(new Set(keys).size).toBe(set.length);
      expect(keys).not.toContain('');
      expect(keysById(membersOf(...shuffled))).toEqual(keysById(membersOf(...set)));
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
  });
});

describe('spreadAlike', () => {
  const set = membersOf(['a', 'x', 1], ['b', 'y', 2]);

  it.each([
    ['the same members', set, true],
    ['other slots', { ...set, slots: Int32Array.of(7, 8) }, true],
    ['another weight', membersOf(['a', 'x', 1], ['b', 'y', 3]), false],
    ['another key', membersOf(['a', 'x', 1], ['b', 'z', 2]), false],
    ['one fewer', membersOf(['a', 'x', 1]), false],
    ['one more', membersOf(['a', 'x', 1], ['b', 'y', 2], ['c', 'z', 1]), false],
  ])('compares with %s', (_name, other, expected) => {
    expect(spreadAlike(keyedMembersOf(set), keyedMembersOf(other))).toBe(expected);
  });
});
