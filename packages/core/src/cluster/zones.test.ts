import { describe, expect, it } from 'vitest';
import { HealthFlag } from '../model/health-state.ts';
import type { TopologyOptions } from '../topology/config.ts';
import type { Publication } from './publication.ts';
import { builderBench, type MemberInput, membersOf, times } from './test-support/topology.ts';

const inZone = (zone: string, more: MemberInput = {}): MemberInput => ({
  ...more,
  locality: { region: 'eu', zone },
});
const PEERS = {
  counts: [
    { region: 'eu', zone: 'a', count: 40 },
    { region: 'eu', zone: 'b', count: 40 },
    { region: 'eu', zone: 'c', count: 20 },
  ],
};
const ZONE_AWARE: TopologyOptions = {
  locality: { region: 'eu', zone: 'a' },
  zoneAware: {},
  peers: PEERS,
};
/** 25, 50 and 25 percent of the endpoints. */
const FLEET = [...times(3, inZone('a')), ...times(6, inZone('b')), ...times(3, inZone('c'))];
const zoneOfSlot = (slot: number): string => (slot < 3 ? 'a' : slot < 9 ? 'b' : 'c');

/** Percent of many picks by zone. */
function traffic(
  { picker }: Publication,
  zoneOf = zoneOfSlot,
  picks = 20_000,
): Map<string, number> {
  const percent = new Map<string, number>();
  for (let pick = 0; pick < picks; pick++) {
    const zone = zoneOf(picker.pick({}, 0));
    percent.set(zone, (percent.get(zone) ?? 0) + 100 / picks);
  }
  return percent;
}

/** Five standard deviations of the largest share, one half, over 20,000 picks. */
const TOLERANCE = 5 * Math.sqrt(0.25 / 20_000) * 100;

describe('zone-aware routing', () => {
  it('keeps 62.5 percent in the zone of the example', () => {
    const percent = traffic(builderBench({ topology: ZONE_AWARE }).build(membersOf(...FLEET)));
    expect(Math.abs((percent.get('a') ?? 0) - 62.5)).toBeLessThan(TOLERANCE);
    expect(Math.abs((percent.get('b') ?? 0) - 25)).toBeLessThan(TOLERANCE);
    expect(Math.abs((percent.get('c') ?? 0) - 12.5)).toBeLessThan(TOLERANCE);
  });

  it('goes elsewhere for a request whose own zone has failed it', () => {
    const { picker } = builderBench({ topology: ZONE_AWARE }).build(membersOf(...FLEET));
    for (let pick = 0; pick < 100; pick++) {
      expect(zoneOfSlot(picker.pick({ exclude: [0, 1, 2] }, 0))).not.toBe('a');
    }
  });

  it('leaves a zone that fails, and comes back', () => {
    const bench = builderBench({ topology: ZONE_AWARE });
    const members = membersOf(...FLEET);
    for (const member of members.slice(0, 3)) member.flags = HealthFlag.failedActiveCheck;
    expect(traffic(bench.build(members)).has('a')).toBe(false);
    for (const member of members.slice(0, 3)) member.flags = 0;
    expect(traffic(bench.build(members)).get('a')).toBeGreaterThan(50);
  });

  it('keeps a key in its zone, and moves no key of a zone that nothing happens to', () => {
    const bench = builderBench({ policy: 'rendezvous', topology: ZONE_AWARE });
    const members = membersOf(...FLEET);
    const keys = Array.from({ length: 1_000 }, (_, key) => ({ hashKey: `key-${key}` }));
    const placed = (): number[] => {
      const { picker } = bench.build(members);
      return keys.map((context) => picker.pick(context, 0));
    };
    const before = placed();
    expect(placed()).toEqual(before);
    members[0]!.flags = HealthFlag.ejected;
    const after = placed();
    // Zone a now has 2 of 11: less stays here, and nothing comes here.
    after.forEach((slot, index) => {
      const [from, to] = [zoneOfSlot(before[index]!), zoneOfSlot(slot)];
      if (to === 'a') expect(from).toBe('a');
    });
    expect(after.filter((slot) => zoneOfSlot(slot) === 'a').length).toBeLessThan(
      before.filter((slot) => zoneOfSlot(slot) === 'a').length,
    );
  });

  it('explains the way', () => {
    const { routing } = builderBench({ topology: ZONE_AWARE }).build(membersOf(...FLEET));
    expect(routing.path({}).steps).toEqual([
      { step: 'priority', choice: '0', shareRatio: 1, reason: '12 of 12 healthy' },
      {
        step: 'locality',
        choice: 'eu/a',
        shareRatio: 0.625,
        reason:
          'a part leaves the zone: this zone has 25 % of the endpoints and 40 % of the clients',
      },
    ]);
  });
});

describe('weights of zones', () => {
  it('divide the traffic, whatever the numbers of endpoints', () => {
    const topology = {
      localityWeights: [
        { region: 'eu', zone: 'a', weight: 70 },
        { region: 'eu', zone: 'b', weight: 30 },
      ],
    };
    const percent = traffic(builderBench({ topology }).build(membersOf(...FLEET)));
    expect(Math.abs((percent.get('a') ?? 0) - 70)).toBeLessThan(TOLERANCE);
    expect(Math.abs((percent.get('b') ?? 0) - 30)).toBeLessThan(TOLERANCE);
    expect(percent.has('c')).toBe(false);
  });
});

describe('an aperture', () => {
  const many = (count: number): MemberInput[] => times(count);

  it('uses a part of the endpoints, and all of its clients together use all alike', () => {
    const peers = 20;
    const loads = new Array<number>(100).fill(0);
    for (let index = 0; index < peers; index++) {
      const bench = builderBench({ topology: { aperture: { index, count: peers } } });
      const { scopes, picker } = bench.build(membersOf(...many(100)));
      const { eligible } = scopes[0]!.groups[0]!;
      // 15 endpoints: three client parts of five each is the least that makes twelve.
      expect(eligible.slots).toHaveLength(15);
      const sum = eligible.weights.reduce((total, weight) => total + weight, 0);
      eligible.slots.forEach((slot, at) => {
        loads[slot] = loads[slot]! + eligible.weights[at]! / sum;
      });
      expect([...eligible.slots]).toContain(picker.pick({}, 0));
    }
    for (const load of loads) expect(load).toBeCloseTo(peers / 100, 9);
  });

  it('thins the turns of round robin at the ends of the arc', () => {
    const bench = builderBench({
      policy: 'round-robin',
      topology: { aperture: { index: 1, count: 7 } },
    });
    const { picker, scopes } = bench.build(membersOf(...many(40)));
    const { eligible } = scopes[0]!.groups[0]!;
    expect(eligible.factors).toBeDefined();
    const counts = new Map<number, number>();
    const picks = 30_000;
    for (let pick = 0; pick < picks; pick++) {
      const slot = picker.pick({}, 0);
      counts.set(slot, (counts.get(slot) ?? 0) + 1);
    }
    const sum = eligible.weights.reduce((total, weight) => total + weight, 0);
    eligible.slots.forEach((slot, at) => {
      const expected = eligible.weights[at]! / sum;
      expect(Math.abs((counts.get(slot) ?? 0) / picks - expected)).toBeLessThan(0.01);
    });
  });

  it('keeps the shares of pools that are represented by different parts', () => {
    const topology: TopologyOptions = {
      aperture: { kind: 'rendezvous', seed: 'me' },
      locality: { region: 'eu', zone: 'x' },
      zoneAware: {},
      peers: { counts: [{ region: 'eu', zone: 'x', count: 1 }] },
    };
    const fleet = [...times(90, inZone('a')), ...times(10, inZone('b'))];
    const publication = builderBench({ topology }).build(membersOf(...fleet));
    expect(publication.candidateCount).toBe(22);
    const percent = traffic(publication, (slot) => (slot < 90 ? 'a' : 'b'));
    expect(Math.abs((percent.get('a') ?? 0) - 90)).toBeLessThan(TOLERANCE);
  });
});
