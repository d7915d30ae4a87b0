import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import { HealthFlag } from '../model/health-state.ts';
import { type Candidate, planGroups, type PlanRule } from './plan.ts';

const RULE: PlanRule = { overprovisioningFactor: 1.4, panicThresholdPercent: 50, ownZone: '/a' };
const { degraded: DEGRADED, ejected: EJECTED } = HealthFlag;

interface Input {
  readonly priority?: number;
  readonly zone?: string;
  readonly flags?: number;
  readonly count?: number;
}

function fleet(...inputs: readonly Input[]): Candidate[] {
  return inputs
    .flatMap((input) => Array.from({ length: input.count ?? 1 }, () => input))
    .map(({ priority = 0, zone = '', flags = 0 }, slot) => ({
      slot,
      flags,
      reach: 1,
      endpoint: createEndpoint({ address: `10.0.0.${slot}:80`, priority, locality: { zone } }),
    }));
}

/** `name kind members percent` of every group. */
function planned(candidates: readonly Candidate[], rule: PlanRule = RULE): string[] {
  return planGroups(candidates, rule).groups.map(
    ({ name, kind, members, shareRatio }) =>
      `${name}: ${kind} ${members.length}, ${Math.round(shareRatio * 1000) / 10} %`,
  );
}

describe('planGroups', () => {
  it('makes one group of a cluster that asks for nothing', () => {
    expect(planned(fleet({ count: 4 }, { flags: EJECTED }))).toEqual([
      'priority 0: healthy 4, 100 %',
    ]);
  });

  it('makes none of nobody', () => {
    expect(planGroups([], RULE)).toEqual({ groups: [], levels: [] });
    expect(planned(fleet({ flags: HealthFlag.unchecked, count: 3 }))).toEqual([]);
  });

  it('keeps the reserve at hand, with no share', () => {
    const members = fleet({ count: 10 }, { priority: 1, count: 4 });
    expect(planned(members)).toEqual([
      'priority 0: healthy 10, 100 %',
      'priority 1: healthy 4, 0 %',
    ]);
  });

  it('spills to the next level, whatever its number', () => {
    const members = fleet({ count: 5 }, { flags: EJECTED, count: 5 }, { priority: 7, count: 4 });
    expect(planned(members)).toEqual([
      'priority 0: healthy 5, 70 %',
      'priority 7: healthy 4, 30 %',
    ]);
  });

  it('spares degraded endpoints', () => {
    const members = fleet({ count: 5 }, { flags: DEGRADED, count: 5 });
    expect(planned(members)).toEqual([
      'priority 0: healthy 5, 70 %',
      'priority 0 degraded: degraded 5, 30 %',
    ]);
  });

  it('ignores health in a level that panics, and zones with it', () => {
    const members = fleet(
      { zone: 'a', count: 2 },
      { zone: 'b', flags: EJECTED, count: 3 },
      { zone: 'b', flags: DEGRADED },
      { priority: 1, flags: EJECTED, count: 6 },
    );
    const rule = { ...RULE, zoneAware: { minEndpoints: 1 } };
    // 3 of 6 count as healthy: no panic in level 0. Level 1 panics, for the two are not enough for everything.
    expect(planGroups(members, rule).levels).toMatchObject([
      { priority: 0, panic: false },
      { priority: 1, panic: true, zones: 'panic: zones play no part' },
    ]);
    expect(planned(members, rule).at(-1)).toBe('priority 1: panic 6, 0 %');
  });

  it('prefers the own zone in the first level only', () => {
    const members = fleet(
      { zone: 'b', count: 4 },
      { zone: 'a', count: 2 },
      { zone: 'a', flags: EJECTED, count: 1 },
      { priority: 1, zone: 'b', count: 2 },
    );
    const peers = {
      counts: new Map([
        ['/a', 1],
        ['/b', 1],
      ]),
      panic: false,
    };
    const rule = { ...RULE, zoneAware: { minEndpoints: 6 }, peers };
    // 2 of 6 healthy are here, and half of the clients: two thirds stay.
    expect(planned(members, rule)).toEqual([
      'priority 0 /a: healthy 2, 66.7 %',
      'priority 0 /b: healthy 4, 33.3 %',
      'priority 1: healthy 2, 0 %',
    ]);
  });

  it('says why zones play no part', () => {
    const rule = { ...RULE, zoneAware: { minEndpoints: 6 } };
    expect(planGroups(fleet({ zone: 'a' }, { zone: 'b' }), rule).levels[0]?.zones).toBe(
      'zones play no part: the peers are not known',
    );
  });

  it('divides every level by the weights of zones, the first match deciding', () => {
    const members = fleet(
      { zone: 'a', count: 1 },
      { zone: 'b', count: 3 },
      { zone: 'c', count: 2 },
      { priority: 1, zone: 'b' },
    );
    const rule = {
      ...RULE,
      localityWeights: [
        { zone: 'a', weight: 3 },
        { region: '', weight: 1 },
        { zone: 'c', weight: 90 },
      ],
    };
    expect(planned(members, rule)).toEqual([
      'priority 0 /a: healthy 1, 60 %',
      'priority 0 /b: healthy 3, 20 %',
      'priority 0 /c: healthy 2, 20 %',
      'priority 1 /b: healthy 1, 0 %',
    ]);
  });
});
