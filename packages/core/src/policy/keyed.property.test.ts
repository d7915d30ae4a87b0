import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SLOT } from '../model/pick-context.ts';
import {
  addressOf,
  endpointSets,
  hashKeys,
  KEYED_POLICIES,
  keyedPolicy,
  MINIMAL_POLICIES,
  pickedId,
  placement,
  titleOf,
} from './test-support/keyed.ts';

const SEED = 20_260_401;
const KEYS = hashKeys(60);
/** Any text is a key: empty, astral, with lone surrogates. */
const anyKey = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 80 }));

describe.each(KEYED_POLICIES.map((options) => ({ title: titleOf(options), options })))(
  'keyed policy $title',
  ({ options }) => {
    it('places keys alike whatever the order of the endpoints', () => {
      const property = fc.property(
        endpointSets().chain((set) =>
          fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length })),
        ),
        ([given, shuffled]) => {
          const a = keyedPolicy(options, given, 1);
          const b = keyedPolicy(options, shuffled, 2);
          expect(placement(b, KEYS)).toEqual(placement(a, KEYS));
        },
      );
      fc.assert(property, { seed: SEED, numRuns: 40 });
    });

    it('places keys alike however the set came about', () => {
      const property = fc.property(endpointSets(), endpointSets(), (before, after) => {
        const grown = keyedPolicy(options, before, 1);
        grown.update(after);
        expect(placement(grown, KEYS)).toEqual(placement(keyedPolicy(options, after, 2), KEYS));
      });
      fc.assert(property, { seed: SEED, numRuns: 40 });
    });

    it('sends equal keys with equal exclusions to one endpoint, and walks all of them once', () => {
      const property = fc.property(endpointSets(), anyKey, (set, hashKey) => {
        const a = keyedPolicy(options, set, 1);
        const b = keyedPolicy(options, [...set].reverse(), 2);
        const exclude: number[] = [];
        const excludeInB: number[] = [];
        for (let pick = 0; pick < set.length; pick++) {
          const slot = a.pick({ hashKey, exclude }, 0);
          expect(exclude).not.toContain(slot);
          expect(a.pick({ hashKey, exclude }, 0)).toBe(slot);
          const id = a.endpoint(slot)?.id;
          expect(pickedId(b, { hashKey, exclude: excludeInB })).toBe(id);
          exclude.push(slot);
          excludeInB.push(b.slotOf(id ?? ''));
        }
        expect(a.pick({ hashKey, exclude }, 0)).toBe(NO_SLOT);
      });
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });

    it('walks in the same order whichever exclusion came first', () => {
      const property = fc.property(endpointSets(8), anyKey, fc.nat(), (set, hashKey, turn) => {
        const policy = keyedPolicy(options, set);
        const exclude = set.map((_, slot) => slot).filter((slot) => ((turn >> slot) & 1) === 1);
        const forwards = policy.pick({ hashKey, exclude }, 0);
        expect(policy.pick({ hashKey, exclude: [...exclude].reverse() }, 0)).toBe(forwards);
      });
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });

    it('explains the pick that it makes, lists every member once, and changes nothing', () => {
      const property = fc.property(
        endpointSets(),
        fc.option(anyKey, { nil: undefined }),
        fc.nat(),
        (set, hashKey, bits) => {
          const policy = keyedPolicy(options, set, 7);
          const twin = keyedPolicy(options, set, 7);
          const exclude = set.map((_, slot) => slot).filter((slot) => ((bits >> slot) & 1) === 1);
          const candidates = policy.explain({ hashKey, exclude }, 0);
          expect(candidates.map(({ slot }) => slot).sort((a, b) => a - b)).toEqual(
            set.map((_, slot) => slot),
          );
          const shares = candidates.map(({ shareRatio }) => shareRatio ?? Number.NaN);
          expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
          const allowed = candidates.slice(0, set.length - exclude.length);
          expect(allowed.filter(({ slot }) => exclude.includes(slot))).toEqual([]);
          const slot = policy.pick({ hashKey, exclude }, 0);
          // Equal draws after an explanation and without one: it took no random number.
          expect(twin.pick({ hashKey, exclude }, 0)).toBe(slot);
          if (hashKey !== undefined) expect(slot).toBe(allowed[0]?.slot ?? NO_SLOT);
        },
      );
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });

    it('lists the members in the order in which exclusions walk them', () => {
      const property = fc.property(endpointSets(), anyKey, (set, hashKey) => {
        const policy = keyedPolicy(options, set);
        const order = policy.explain({ hashKey }, 0).map(({ slot }) => slot);
        const walked = order.map((_, rank) =>
          policy.pick({ hashKey, exclude: order.slice(0, rank) }, 0),
        );
        expect(walked).toEqual(order);
      });
      fc.assert(property, { seed: SEED, numRuns: 40 });
    });
  },
);

describe.each(MINIMAL_POLICIES.map((options) => ({ title: titleOf(options), options })))(
  'minimal disruption of $title',
  ({ options }) => {
    it('moves keys only from and to endpoints that go and come', () => {
      const property = fc.property(endpointSets(), endpointSets(), (before, after) => {
        // Weights stay with the address: a change of weight is a change of the endpoint.
        const weightOf = new Map(before.map(({ address, weight }) => [address, weight]));
        const next = after.map((endpoint) => ({
          ...endpoint,
          weight: weightOf.get(endpoint.address) ?? endpoint.weight,
        }));
        const policy = keyedPolicy(options, before);
        const old = placement(policy, KEYS);
        policy.update(next);
        const stays = new Set(next.map(({ address }) => address));
        placement(policy, KEYS).forEach((id, index) => {
          const from = old[index];
          const isNew = id !== undefined && !weightOf.has(id);
          if (from !== undefined && stays.has(from) && !isNew) expect(id).toBe(from);
        });
      });
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });

    it('takes keys only for the endpoint whose weight grows', () => {
      const property = fc.property(endpointSets(), fc.nat(), (set, which) => {
        const grown = set[which % set.length]?.address ?? addressOf(0);
        const policy = keyedPolicy(options, set);
        const old = placement(policy, KEYS);
        policy.update(
          set.map((endpoint) =>
            endpoint.address === grown
              ? { ...endpoint, weight: (endpoint.weight ?? 1) + 3 }
              : endpoint,
          ),
        );
        placement(policy, KEYS).forEach((id, index) => {
          if (id !== old[index]) expect(id).toBe(grown);
        });
      });
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });
  },
);
