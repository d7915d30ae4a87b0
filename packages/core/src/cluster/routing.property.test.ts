import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthFlag, isEligible } from '../model/health-state.ts';
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { TopologyOptions } from '../topology/config.ts';
import { eligibleSlots } from './publication.ts';
import { builderBench, membersOf } from './test-support/topology.ts';

const VERSIONS = ['v1', 'v2', 'v3'];

const fleet = fc.array(
  fc.record({
    priority: fc.constantFrom(0, 0, 0, 1, 3),
    zone: fc.constantFrom('a', 'b', 'c'),
    version: fc.constantFrom(...VERSIONS),
    weight: fc.integer({ min: 0, max: 5 }),
    flags: fc.constantFrom(
      0,
      0,
      0,
      0,
      HealthFlag.degraded,
      HealthFlag.ejected,
      HealthFlag.disabled,
    ),
  }),
  { maxLength: 24 },
);

const zones: fc.Arbitrary<TopologyOptions> = fc.constantFrom<TopologyOptions>(
  {},
  {
    localityWeights: [
      { zone: 'a', weight: 2 },
      { zone: 'b', weight: 1 },
    ],
  },
  {
    locality: { zone: 'a' },
    zoneAware: { minEndpoints: 3 },
    peers: {
      counts: [
        { zone: 'a', count: 5 },
        { zone: 'b', count: 1 },
      ],
    },
  },
);
const scopes: fc.Arbitrary<TopologyOptions> = fc.constantFrom<TopologyOptions>(
  {},
  { subsets: { selectors: [{ keys: ['version'] }] } },
  { subsets: { selectors: [{ keys: ['version'] }], fallback: 'any' } },
  {
    subsets: {
      selectors: [{ keys: ['version'] }],
      fallback: 'default',
      default: { version: 'v1' },
    },
  },
  {
    split: { sides: { old: { subset: { version: 'v1' }, weight: 3 }, all: { weight: 1 } } },
    subsets: { selectors: [{ keys: ['version'] }], fallback: 'any' },
  },
);
const topology = fc.tuple(zones, scopes).map(([a, b]): TopologyOptions => ({ ...a, ...b }));

const context: fc.Arbitrary<PickContext> = fc.record({
  hashKey: fc.option(fc.constantFrom('k1', 'k2', 'k3'), { nil: undefined }),
  subset: fc.option(
    fc.constantFrom(...VERSIONS, 'v9').map((version) => ({ version })),
    { nil: undefined },
  ),
  exclude: fc.option(fc.array(fc.nat(24), { maxLength: 8 }), { nil: undefined }),
});

const policy = fc.constantFrom('random', 'round-robin', 'rendezvous', 'peak-ewma');

function publicationOf(inputs: readonly FleetMember[], options: TopologyOptions, name: string) {
  const bench = builderBench({ policy: name, topology: options });
  const members = membersOf(
    ...inputs.map(({ zone, version, ...rest }) => ({
      ...rest,
      locality: { zone },
      metadata: { version },
    })),
  );
  return { members, publication: bench.build(members) };
}

interface FleetMember {
  readonly priority: number;
  readonly zone: string;
  readonly version: string;
  readonly weight: number;
  readonly flags: number;
}

describe('picks through topology', () => {
  it('take only whom they may, and fail only when nobody is left', () => {
    fc.assert(
      fc.property(fleet, topology, context, policy, (inputs, options, asked, name) => {
        const { members, publication } = publicationOf(inputs, options, name);
        const { picker } = publication;
        const eligible = eligibleSlots(publication);
        const listed = new Set(picker.explain(asked, 0).map(({ slot }) => slot));
        const exclude = new Set(asked.exclude);
        for (let pick = 0; pick < 10; pick++) {
          const slot = picker.pick(asked, pick);
          if (slot === NO_SLOT) {
            // Everyone on the way of this request is excluded; what else is eligible is not on it.
            for (const other of listed) expect(exclude).toContain(other);
            continue;
          }
          expect(exclude).not.toContain(slot);
          expect(eligible).toContain(slot);
          const member = members[slot];
          expect(member?.has(HealthFlag.disabled)).toBe(false);
          expect(member?.endpoint.weight).toBeGreaterThan(0);
          if (publication.panics.size === 0) expect(isEligible(member?.flags ?? -1)).toBe(true);
        }
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  it('stay with a key under a hash policy', () => {
    fc.assert(
      fc.property(fleet, topology, context, (inputs, options, asked) => {
        fc.pre(asked.hashKey !== undefined);
        const { publication } = publicationOf(inputs, options, 'rendezvous');
        const { picker } = publication;
        const slot = picker.pick(asked, 0);
        for (let again = 0; again < 5; again++) expect(picker.pick(asked, again)).toBe(slot);
        // And the explanation says where: the first that is not excluded.
        const first = picker
          .explain(asked, 0)
          .find((candidate) => asked.exclude?.includes(candidate.slot) !== true);
        expect(first?.slot ?? NO_SLOT).toBe(slot);
      }),
      { seed: 2, numRuns: 400 },
    );
  });

  it('have the shares that are explained', () => {
    fc.assert(
      fc.property(fleet, topology, context, (inputs, options, asked) => {
        const drawn = { ...asked, hashKey: undefined };
        const { publication } = publicationOf(inputs, options, 'random');
        const { picker } = publication;
        const explained = picker.explain(drawn, 0);
        const sum = explained.reduce((total, { shareRatio = 0 }) => total + shareRatio, 0);
        const picks = 1_500;
        const counts = new Map<number, number>();
        for (let pick = 0; pick < picks; pick++) {
          const slot = picker.pick(drawn, 0);
          counts.set(slot, (counts.get(slot) ?? 0) + 1);
        }
        if (counts.has(NO_SLOT)) {
          expect(counts.size).toBe(1);
          return;
        }
        expect(sum).toBeCloseTo(1, 6);
        for (const { slot, shareRatio: p = 0 } of explained) {
          const tolerance = 5 * Math.sqrt(picks * p * (1 - p)) + 1;
          expect(Math.abs((counts.get(slot) ?? 0) - picks * p)).toBeLessThanOrEqual(tolerance);
        }
      }),
      { seed: 3, numRuns: 150 },
    );
  });
});
