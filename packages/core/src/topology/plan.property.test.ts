import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import { HealthFlag, isEligible } from '../model/health-state.ts';
import { type Candidate, planGroups, type PlanRule } from './plan.ts';

const FLAGS = [
  0,
  0,
  0,
  HealthFlag.degraded,
  HealthFlag.reportsDegraded,
  HealthFlag.ejected,
  HealthFlag.failedActiveCheck,
  HealthFlag.unchecked,
];

const candidate = fc.record({
  priority: fc.constantFrom(0, 0, 1, 5),
  zone: fc.constantFrom('a', 'b', 'c', ''),
  weight: fc.integer({ min: 1, max: 9 }),
  flags: fc.constantFrom(...FLAGS),
  reach: fc.constantFrom(1, 0.5, 3),
});
const candidates = fc.array(candidate, { maxLength: 40 }).map((all) =>
  all.map(({ priority, zone, weight, flags, reach }, slot): Candidate => ({
    slot,
    flags,
    reach,
    endpoint: createEndpoint({
      address: `10.0.0.${slot}:80`,
      priority,
      weight,
      locality: { region: 'eu', zone },
    }),
  })),
);

const peers = {
  counts: new Map([
    ['eu/a', 3],
    ['eu/b', 2],
    ['eu/c', 1],
  ]),
  panic: false,
};
const rule: fc.Arbitrary<PlanRule> = fc
  .record({
    panicThresholdPercent: fc.constantFrom(0, 50, 100),
    zones: fc.constantFrom('off', 'aware', 'unknown', 'weights'),
    ownZone: fc.constantFrom('eu/a', 'eu/b', 'us/x'),
  })
  .map(({ panicThresholdPercent, zones, ownZone }) => ({
    overprovisioningFactor: 1.4,
    panicThresholdPercent,
    ownZone,
    ...(zones === 'aware' || zones === 'unknown' ? { zoneAware: { minEndpoints: 6 } } : {}),
    ...(zones === 'aware' ? { peers } : {}),
    ...(zones === 'weights'
      ? {
          localityWeights: [
            { zone: 'a', weight: 3 },
            { zone: 'b', weight: 1 },
          ],
        }
      : {}),
  }));

describe('planGroups', () => {
  it('gives out everything, as long as there is anyone to pick', () => {
    fc.assert(
      fc.property(candidates, rule, (members, options) => {
        const { groups, levels } = planGroups(members, options);
        const shares = groups.reduce((sum, group) => sum + group.shareRatio, 0);
        if (groups.length > 0) expect(shares).toBeCloseTo(1, 9);
        else {
          // Nobody is eligible, and no level panics.
          expect(members.some(({ flags }) => isEligible(flags))).toBe(false);
          expect(levels.some(({ panic }) => panic)).toBe(false);
        }
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });

  it('places everyone eligible exactly once, and others only where there is panic', () => {
    fc.assert(
      fc.property(candidates, rule, (members, options) => {
        const { groups, levels } = planGroups(members, options);
        const panicking = new Set(
          levels.filter(({ panic }) => panic).map((level) => level.priority),
        );
        const expected = members
          .filter(({ flags, endpoint }) => isEligible(flags) || panicking.has(endpoint.priority))
          .map(({ slot }) => slot);
        const placed = groups.flatMap((group) => group.members.map(({ slot }) => slot));
        expect(placed.sort((a, b) => a - b)).toEqual(expected);
        expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
        for (const group of groups) expect(group.members).not.toHaveLength(0);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });

  it('keeps the order of slots in every group', () => {
    fc.assert(
      fc.property(candidates, rule, (members, options) => {
        for (const group of planGroups(members, options).groups) {
          const slots = group.members.map(({ slot }) => slot);
          expect(slots).toEqual(slots.toSorted((a, b) => a - b));
        }
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});
