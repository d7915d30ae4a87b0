import { describe, expect, it } from 'vitest';
import { HealthFlag } from '../model/health-state.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import { eligibleSlots, type Publication } from './publication.ts';
import { builderBench, membersOf, times } from './test-support/topology.ts';

const { ejected: EJECTED, draining, disabled, failedActiveCheck } = HealthFlag;

function eligible(publication: Publication): number[] {
  return [...eligibleSlots(publication)].sort((a, b) => a - b);
}

/** Slots that many picks reach. */
function reached({ picker }: Publication, context = {}, picks = 500): number[] {
  const slots = new Set<number>();
  for (let pick = 0; pick < picks; pick++) slots.add(picker.pick(context, 0));
  return [...slots].sort((a, b) => a - b);
}

/** `id share` of all groups, in percent. */
function groups({ scopes }: Publication): string[] {
  return scopes.flatMap((scope) =>
    scope.groups.map(({ id, shareRatio }) => `${id}: ${Math.round(shareRatio * 100)} %`),
  );
}

describe('PublicationBuilder without topology', () => {
  it.each([
    { name: 'all healthy', flags: [0, 0, 0], slots: [0, 1, 2], panic: false },
    { name: 'one ejected', flags: [0, EJECTED, 0], slots: [0, 2], panic: false },
    { name: 'exactly half healthy', flags: [0, EJECTED], slots: [0], panic: false },
    {
      name: 'less than half healthy',
      flags: [0, EJECTED, failedActiveCheck],
      slots: [0, 1, 2],
      panic: true,
    },
    { name: 'panic spares no disabled one', flags: [4, 4, disabled], slots: [0, 1], panic: true },
    {
      name: 'draining ones do not count',
      flags: [0, draining, draining],
      slots: [0],
      panic: false,
    },
    { name: 'nobody', flags: [], slots: [], panic: false },
  ])('$name', ({ flags, slots, panic }) => {
    const publication = builderBench().build(membersOf(...flags.map((flag) => ({ flags: flag }))));
    expect(eligible(publication)).toEqual(slots);
    expect(publication.panics.size > 0).toBe(panic);
    expect(reached(publication)).toEqual(slots.length === 0 ? [NO_SLOT] : slots);
  });

  it('leaves out endpoints of weight 0', () => {
    const publication = builderBench().build(membersOf({ weight: 0 }, { weight: 3 }));
    expect(eligible(publication)).toEqual([1]);
    expect([...(publication.scopes[0]?.groups[0]?.eligible.weights ?? [])]).toEqual([3]);
  });

  it("publishes the policy's own picker", () => {
    const publication = builderBench({ policy: 'peak-ewma' }).build(membersOf(...times(4)));
    expect(publication.picker).toBe(publication.scopes[0]?.groups[0]?.picker);
    expect(publication.picker.constructor.name).toBe('PeakEwmaPicker');
  });

  it('counts publications', () => {
    const bench = builderBench();
    expect(bench.build([]).version).toBe(1);
    expect(bench.build(membersOf({})).version).toBe(2);
  });
});

describe('PublicationBuilder with priorities', () => {
  it('keeps the reserve in reserve', () => {
    const publication = builderBench().build(membersOf({}, {}, { priority: 1 }));
    expect(groups(publication)).toEqual(['priority 0: 100 %', 'priority 1: 0 %']);
    expect(reached(publication)).toEqual([0, 1]);
    expect(eligible(publication)).toEqual([0, 1, 2]);
  });

  it('falls through to the reserve for a request that excludes everyone else', () => {
    const { picker } = builderBench().build(
      membersOf({}, {}, { priority: 1 }, { flags: HealthFlag.degraded }, { flags: EJECTED }),
    );
    // The degraded one of the same level first.
    expect(picker.pick({ exclude: [0, 1] }, 0)).toBe(3);
    expect(picker.pick({ exclude: [0, 1, 3] }, 0)).toBe(2);
    expect(picker.pick({ exclude: [0, 1, 2, 3] }, 0)).toBe(NO_SLOT);
  });

  it('lets a group take over from its picker, whatever becomes of the others', () => {
    const bench = builderBench({ policy: 'round-robin' });
    const inputs = [...times(3), { priority: 1 }];
    const first = bench.build(membersOf(...inputs));
    const turn = first.picker.pick({}, 0);
    const second = bench.build(membersOf(...inputs.slice(0, 3)));
    expect(second.picker.pick({}, 0)).toBe((turn + 1) % 3);
    const third = bench.build(membersOf(...inputs));
    expect(third.picker.pick({}, 0)).toBe((turn + 2) % 3);
  });

  it('keeps keys with their endpoints while a spare level comes and goes', () => {
    const bench = builderBench({ policy: { name: 'maglev', tableSize: 4099 } });
    const keys = Array.from({ length: 200 }, (_, key) => ({ hashKey: `key-${key}` }));
    const placed = (publication: Publication): number[] =>
      keys.map((context) => publication.picker.pick(context, 0));
    const before = placed(bench.build(membersOf(...times(8))));
    expect(placed(bench.build(membersOf(...times(8), ...times(4, { priority: 1 }))))).toEqual(
      before,
    );
  });

  it('moves keys only out of the level that loses health', () => {
    const bench = builderBench({ policy: { name: 'maglev', tableSize: 4099 } });
    const keys = Array.from({ length: 1_000 }, (_, key) => ({ hashKey: `key-${key}` }));
    const members = membersOf(...times(10), ...times(10, { priority: 1 }));
    let moved = new Set<string>();
    for (let bad = 0; bad <= 10; bad++) {
      members.forEach((member) => (member.flags = member.slot < bad ? EJECTED : 0));
      const { picker } = bench.build(members);
      const away = new Set(
        keys.filter((context) => picker.pick(context, 0) >= 10).map(({ hashKey }) => hashKey),
      );
      for (const key of moved) expect(away).toContain(key);
      moved = away;
    }
    expect(moved.size).toBe(keys.length);
  });
});
