/**
 * What every policy must do, whatever its algorithm. A new policy adds a row to `CASES` and passes; where a rule cannot
 * hold for one by its nature, the row says why.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { createEndpoint, type EndpointFields } from '../model/endpoint.ts';
import { LoadTable } from '../model/load-table.ts';
import type { Members } from '../model/members.ts';
import { Outcome } from '../model/outcome.ts';
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import { XorShift128 } from '../runtime/random.ts';
import { BUILT_IN_POLICIES } from './built-in.ts';
import type { PolicyOptions } from './policy.ts';
import { PolicyRegistry } from './registry.ts';
import { createPolicy, type StandalonePolicy } from './standalone.ts';
import { endpointsOf } from './test-support/keyed.ts';
import { anyEvent, expectSound } from './test-support/soundness.ts';

interface Case {
  readonly options: PolicyOptions;
  readonly skip?: { readonly [rule in Rule]?: string };
}

/** Rules that some policy cannot follow. */
type Rule = 'weights' | 'shares with a key' | 'shares under load';

const OF_ALL_KEYS = 'with a key, a hash policy explains the share of all keys that a member owns';
const NO_WEIGHTS =
  'round robin ignores weights by design; weighted-round-robin is the one that has them';

const CASES: readonly Case[] = [
  { options: 'peak-ewma' },
  { options: 'least-request' },
  { options: { name: 'least-request', choiceCount: 4 } },
  { options: { name: 'least-request', fullScan: true } },
  { options: { name: 'least-request', bias: 0 } },
  { options: 'round-robin', skip: { weights: NO_WEIGHTS } },
  { options: 'weighted-round-robin' },
  { options: { name: 'weighted-round-robin', algorithm: 'smooth' } },
  { options: 'orca-weighted' },
  { options: 'prequal' },
  { options: 'random' },
  { options: { name: 'maglev', tableSize: 4099 }, skip: { 'shares with a key': OF_ALL_KEYS } },
  { options: { name: 'ring-hash', minRingSize: 8192 }, skip: { 'shares with a key': OF_ALL_KEYS } },
  { options: 'ketama', skip: { 'shares with a key': OF_ALL_KEYS } },
  { options: 'rendezvous', skip: { 'shares with a key': OF_ALL_KEYS } },
  {
    options: 'bounded-load',
    skip: {
      'shares with a key': OF_ALL_KEYS,
      'shares under load': 'bounded-load explains the shares of the policy that it wraps',
    },
  },
];

function nameOfCase({ options }: Case): string {
  return typeof options === 'string' ? options : JSON.stringify(options);
}

/** Time is passed with every call: whoever reads the clock instead gets no number. */
const NO_CLOCK = { nowMs: () => Number.NaN, wallMs: () => Number.NaN };

describe('the list of built-in policies', () => {
  it('has a conformance case for each', () => {
    const covered = new Set(
      CASES.map(({ options }) => (typeof options === 'string' ? options : options.name)),
    );
    expect([...covered].sort()).toEqual(BUILT_IN_POLICIES.map(({ name }) => name).sort());
  });

  it('names each once, in kebab-case', () => {
    const names = BUILT_IN_POLICIES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});

describe.each(CASES.map((each) => ({ title: nameOfCase(each), ...each })))(
  'policy $title',
  ({ options, skip }) => {
    function create(inputs: readonly EndpointFields[], seed = 1): StandalonePolicy {
      return createPolicy(options, {
        endpoints: inputs,
        random: new XorShift128(seed),
        clock: NO_CLOCK,
      });
    }

    it('refuses an option that it does not know, by its path', () => {
      const wrong = typeof options === 'string' ? { name: options } : options;
      expect(() =>
        createPolicy({ ...wrong, noSuchOption: 1 }, { endpoints: endpointsOf(1) }),
      ).toThrow(ConfigError);
      expect(() =>
        createPolicy({ ...wrong, noSuchOption: 1 }, { endpoints: endpointsOf(1) }),
      ).toThrow('policy.noSuchOption');
    });

    it('picks no one when there is no one', () => {
      const policy = create([]);
      expect(policy.pick({}, 0)).toBe(NO_SLOT);
      expect(policy.pick({ hashKey: 'a', exclude: [0] }, 0)).toBe(NO_SLOT);
      expect(policy.explain({}, 0)).toEqual([]);
      policy.update(endpointsOf(2));
      expect([0, 1]).toContain(policy.pick({}, 0));
      policy.update([]);
      expect(policy.pick({}, 0)).toBe(NO_SLOT);
    });

    it('picks the only one there is, unless it is excluded', () => {
      const policy = create(endpointsOf(1));
      for (let pick = 0; pick < 20; pick++) {
        expect(policy.pick({ hashKey: `${pick}` }, pick)).toBe(0);
        expect(policy.pick({ exclude: [7] }, pick)).toBe(0);
        expect(policy.pick({ exclude: [0] }, pick)).toBe(NO_SLOT);
      }
    });

    it('gives nothing to an endpoint of weight 0', () => {
      const policy = create(endpointsOf(4, (index) => index % 2));
      for (let pick = 0; pick < 200; pick++) {
        const slot = policy.pick({ hashKey: `${pick}` }, 0);
        expect(policy.endpoint(slot)?.weight).toBe(1);
      }
      expect(
        policy
          .explain({}, 0)
          .map(({ slot }) => slot)
          .sort(),
      ).toEqual([1, 3]);
    });

    it('never picks an excluded endpoint, and finds the last one that is left', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 30 }),
          fc.array(fc.integer({ min: 0, max: 32 }), { maxLength: 40 }),
          fc.boolean(),
          (count, exclude, weighted) => {
            const policy = create(endpointsOf(count, (index) => (weighted ? 1 + (index % 3) : 1)));
            const allowed = count - new Set(exclude.filter((slot) => slot < count)).size;
            for (let pick = 0; pick < 8; pick++) {
              const slot = policy.pick({ hashKey: `${pick}`, exclude }, pick);
              expect(slot === NO_SLOT).toBe(allowed === 0);
              expect(exclude).not.toContain(slot);
              if (slot !== NO_SLOT) expect(slot).toBeLessThan(count);
            }
            const others = Array.from({ length: count }, (_, slot) => slot).slice(1);
            expect(policy.pick({ exclude: others }, 0)).toBe(0);
          },
        ),
        { seed: 2, numRuns: 60 },
      );
    });

    it('picks the same again for the same seed, and is not moved by explanations', () => {
      const [plain, explained] = [create(endpointsOf(7), 3), create(endpointsOf(7), 3)];
      for (let step = 0; step < 300; step++) {
        const nowMs = step * 5;
        const context: PickContext = step % 3 === 0 ? { exclude: [step % 7] } : {};
        explained.explain(context, nowMs + 1_000);
        explained.explain({ hashKey: 'a' }, nowMs);
        const slot = plain.pick(context, nowMs);
        expect(explained.pick(context, nowMs)).toBe(slot);
        for (const policy of [plain, explained]) {
          policy.start(slot, nowMs);
          const outcome = step % 11 === 0 ? Outcome.serverError : Outcome.success;
          if (step % 4 > 0) policy.finish(slot, outcome, 3 + slot, nowMs + 3);
        }
      }
    });

    it('explains every member once, the excluded ones last', () => {
      const policy = create(endpointsOf(6));
      for (const context of [{}, { hashKey: 'a' }, { exclude: [1, 4] }]) {
        const candidates = policy.explain(context, 0);
        expect(candidates.map(({ slot }) => slot).sort()).toEqual([0, 1, 2, 3, 4, 5]);
        const exclude: readonly number[] = context.exclude ?? [];
        const last = candidates.slice(candidates.length - exclude.length);
        expect(last.map(({ slot }) => slot).sort()).toEqual(exclude);
        for (const { reason, score, shareRatio } of candidates) {
          expect(reason).not.toBe('');
          if (score !== undefined) expect(score).toBeGreaterThanOrEqual(0);
          if (shareRatio !== undefined) expect(shareRatio).toBeGreaterThanOrEqual(0);
        }
      }
    });

    it('explains shares that picks without a key then have', (test) => {
      const reason = skip?.['shares under load'];
      if (reason !== undefined) test.skip(reason);
      const policy = create(endpointsOf(5, (index) => 1 + index));
      // Unequal loads, so that there is something to compare.
      for (const [slot, count] of [0, 3, 1, 6, 2].entries()) {
        for (let request = 0; request < count; request++) policy.start(slot, 0);
      }
      expectExplainedShares(policy, {});
    });

    it('explains shares that picks with a key then have', (test) => {
      const reason = skip?.['shares with a key'];
      if (reason !== undefined) test.skip(reason);
      expectExplainedShares(create(endpointsOf(5)), { hashKey: 'a', exclude: [2] });
    });

    it('follows the weights while nothing is in flight', (test) => {
      if (skip?.weights !== undefined) test.skip(skip.weights);
      const weights = [1, 2, 3, 10];
      const policy = create(endpointsOf(4, (index) => weights[index] ?? 0));
      const picks = 8_000;
      const counts = countPicks(policy, picks, (pick) => ({ hashKey: `key-${pick}` }));
      weights.forEach((weight, slot) => {
        // The ring's points are random: with 8192 of them 3 deviations of a share are 4 %; all others are closer.
        expect(Math.abs((counts[slot] ?? 0) / picks - weight / 16)).toBeLessThan(0.04);
      });
    });

    it('reaches everyone', () => {
      const policy = create(endpointsOf(40));
      const counts = countPicks(policy, 4_000, (pick) => ({ hashKey: `key-${pick}` }));
      // 100 each on average; the most uneven, a hash ring, leaves no one below a third of that.
      expect(Math.min(...counts)).toBeGreaterThan(33);
    });

    it('sends equal keys to the same endpoint if it is keyed, and else does not look at them', () => {
      const [one, other] = [create(endpointsOf(9)), create(endpointsOf(9).reverse())];
      if (one.keyed) {
        for (let key = 0; key < 100; key++) {
          const slot = one.pick({ hashKey: `key-${key}` }, 0);
          expect(one.pick({ hashKey: `key-${key}` }, 50)).toBe(slot);
          // The same endpoint, wherever it stands in the list.
          const id = other.endpoint(other.pick({ hashKey: `key-${key}` }, 0))?.id;
          expect(id).toBe(one.endpoint(slot)?.id);
        }
      } else {
        const without = create(endpointsOf(9));
        for (let pick = 0; pick < 100; pick++) {
          expect(one.pick({ hashKey: `${pick % 3}` }, 0)).toBe(without.pick({}, 0));
        }
      }
    });

    it('keeps the groups that it serves apart', () => {
      const load = new LoadTable();
      const registry = new PolicyRegistry(BUILT_IN_POLICIES);
      const random = new XorShift128(1);
      const balancer = registry.create(registry.decode(options), { load, random });
      const slotsOf = [
        [0, 1, 2, 3],
        [2, 3, 4, 5, 6],
      ];
      const pickers = slotsOf.map((slots) => balancer.update(membersAt(slots)));
      const picked = slotsOf.map(() => new Set<number>());
      for (let step = 0; step < 1_000; step++) {
        const group = step % 2;
        // Now and then a group is published anew, and the other one must not notice.
        if (step % 50 === 0)
          pickers[group] = balancer.update(membersAt(slotsOf[group] ?? []), pickers[group]);
        const slot = pickers[group]?.pick({ hashKey: `${step}` }, step) ?? NO_SLOT;
        picked[group]?.add(slot);
        load.active[slot] = (load.active[slot] ?? 0) + 1;
        balancer.onStart?.(slot, step);
        load.active[slot] = (load.active[slot] ?? 0) - 1;
        balancer.onFinish?.(slot, Outcome.success, 5, step);
      }
      // None but its own, and all of them: a member is missed by 500 fair picks with probability 0.8^500.
      expect(picked.map((slots) => [...slots].sort())).toEqual(slotsOf);
      balancer.close?.();
    });

    it('gives back its columns of the load table when it is closed', () => {
      const load = new LoadTable();
      const { bytesPerSlot } = load;
      const registry = new PolicyRegistry(BUILT_IN_POLICIES);
      const random = new XorShift128(1);
      const balancer = registry.create(registry.decode(options), { load, random });
      balancer.close?.();
      balancer.close?.();
      expect(load.bytesPerSlot).toBe(bytesPerSlot);
      // Requests may still end after that.
      balancer.onStart?.(0, 0);
      balancer.onFinish?.(0, Outcome.success, 1, 1);
    });

    it('keeps its promises through any order of events', () => {
      fc.assert(
        fc.property(fc.array(anyEvent, { maxLength: 120 }), (events) =>
          expectSound(create(endpointsOf(3)), events),
        ),
        { seed: 4, numRuns: 60 },
      );
    });
  },
);

function membersAt(slots: readonly number[]): Members {
  return {
    version: 1,
    slots: Int32Array.from(slots),
    weights: new Float64Array(slots.length).fill(1),
    endpoints: slots.map((slot) => createEndpoint(`10.0.0.${slot}:80`)),
  };
}

function countPicks(
  policy: StandalonePolicy,
  picks: number,
  contextOf: (pick: number) => PickContext,
): number[] {
  const counts = Array.from({ length: policy.load.capacity }, () => 0);
  for (let pick = 0; pick < picks; pick++) {
    const slot = policy.pick(contextOf(pick), 0);
    policy.start(slot, 0);
    policy.finish(slot, Outcome.success, 10, 0);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  return counts.slice(0, policy.explain({}, 0).length);
}

function expectExplainedShares(policy: StandalonePolicy, context: PickContext): void {
  const candidates = policy.explain(context, 0);
  const picks = 10_000;
  const counts = new Map<number, number>();
  for (let pick = 0; pick < picks; pick++) {
    const slot = policy.pick(context, 0);
    counts.set(slot, (counts.get(slot) ?? 0) + 1);
  }
  const told = candidates.filter(({ shareRatio }) => shareRatio !== undefined);
  if (told.length < candidates.length) return;
  expect(told.reduce((sum, { shareRatio = 0 }) => sum + shareRatio, 0)).toBeCloseTo(1, 9);
  for (const { slot, shareRatio = 0 } of told) {
    // Binomial: 5 standard deviations, and one pick of each for those that take turns.
    const tolerance = 5 * Math.sqrt((shareRatio * (1 - shareRatio)) / picks) + 1 / picks;
    expect(Math.abs((counts.get(slot) ?? 0) / picks - shareRatio)).toBeLessThanOrEqual(tolerance);
  }
}
