import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { HealthFlag } from '../model/health-state.ts';
import { NO_SLOT, type PickContext } from '../model/pick-context.ts';
import type { TopologyOptions } from '../topology/config.ts';
import { MAX_SUBSETS } from '../topology/subset.ts';
import type { Publication } from './publication.ts';
import { builderBench, type MemberInput, membersOf, times } from './test-support/topology.ts';

const V1: MemberInput = { metadata: { version: 'v1' } };
const V2: MemberInput = { metadata: { version: 'v2' } };
const { ejected } = HealthFlag;

function publish(topology: TopologyOptions, ...inputs: readonly MemberInput[]): Publication {
  return builderBench({ topology }).build(membersOf(...inputs));
}

/** Slots that many picks reach, ascending. */
function reached({ picker }: Publication, context: PickContext): number[] {
  const slots = new Set<number>();
  for (let pick = 0; pick < 300; pick++) slots.add(picker.pick(context, 0));
  return [...slots].sort((a, b) => a - b);
}

/** Endpoints that the explanation has a share for, ascending. */
function explained({ picker }: Publication, context: PickContext): number[] {
  return picker
    .explain(context, 0)
    .filter(({ shareRatio = 0 }) => shareRatio > 0)
    .map(({ slot }) => slot)
    .sort((a, b) => a - b);
}

describe('subsets', () => {
  const fleet = [V1, V1, V2, {}];

  it.each<{ name: string; subsets: TopologyOptions['subsets']; subset?: object; slots: number[] }>([
    {
      name: 'asked for',
      subsets: { selectors: [{ keys: ['version'] }] },
      subset: { version: 'v2' },
      slots: [2],
    },
    {
      name: 'nothing is asked for',
      subsets: { selectors: [{ keys: ['version'] }] },
      slots: [0, 1, 2, 3],
    },
    { name: 'nothing, with a default', subsets: { default: { version: 'v1' } }, slots: [0, 1] },
    {
      name: 'nobody has it: none',
      subsets: { selectors: [{ keys: ['version'] }] },
      subset: { version: 'v3' },
      slots: [NO_SLOT],
    },
    {
      name: 'nobody has it: any',
      subsets: { selectors: [{ keys: ['version'] }], fallback: 'any' },
      subset: { version: 'v3' },
      slots: [0, 1, 2, 3],
    },
    {
      name: 'nobody has it: default',
      subsets: {
        selectors: [{ keys: ['version'] }],
        fallback: 'default',
        default: { version: 'v1' },
      },
      subset: { version: 'v3' },
      slots: [0, 1],
    },
    {
      name: "the selector's own fallback comes first",
      subsets: { selectors: [{ keys: ['version'], fallback: 'any' }], fallback: 'none' },
      subset: { version: 'v3' },
      slots: [0, 1, 2, 3],
    },
    {
      name: 'no selector has these labels: the general fallback',
      subsets: { selectors: [{ keys: ['version'], fallback: 'any' }], fallback: 'none' },
      subset: { colour: 'red' },
      slots: [NO_SLOT],
    },
    {
      name: 'the default subset is empty: none',
      subsets: { default: { version: 'v9' } },
      slots: [NO_SLOT],
    },
    {
      name: 'the default subset is empty: any',
      subsets: { default: { version: 'v9' }, fallback: 'any' },
      slots: [0, 1, 2, 3],
    },
  ])('$name', ({ subsets, subset, slots }) => {
    const publication = publish({ subsets }, ...fleet);
    const context = subset === undefined ? {} : { subset: subset as Record<string, string> };
    expect(reached(publication, context)).toEqual(slots);
    expect(explained(publication, context)).toEqual(slots.filter((slot) => slot !== NO_SLOT));
  });

  it('are ignored when none are configured', () => {
    expect(reached(publish({}, ...fleet), { subset: { version: 'v2' } })).toEqual([0, 1, 2, 3]);
  });

  it('panic one by one', () => {
    const selectors = [{ keys: ['version'] }];
    const publication = publish(
      { subsets: { selectors } },
      ...times(6, V1),
      { ...V2, flags: ejected },
      { ...V2, flags: ejected },
      V2,
    );
    // 7 of 9 are healthy, but only 1 of the 3 of v2.
    expect([...publication.panics]).toMatchObject([
      ['version=v2 priority 0', { healthyCount: 1, candidateCount: 3 }],
    ]);
    expect(reached(publication, { subset: { version: 'v2' } })).toEqual([6, 7, 8]);
    expect(reached(publication, {})).toEqual([0, 1, 2, 3, 4, 5, 8]);
  });

  it('fall back when a request excludes all of theirs', () => {
    const subsets = { selectors: [{ keys: ['version'] }], fallback: 'any' as const };
    const publication = publish({ subsets }, V1, V2);
    const context = { subset: { version: 'v2' }, exclude: [1] };
    expect(reached(publication, context)).toEqual([0]);
    expect(reached(publication, { ...context, exclude: [0, 1] })).toEqual([NO_SLOT]);
  });

  it('have the priorities of their own members', () => {
    const publication = publish(
      { subsets: { selectors: [{ keys: ['version'] }] } },
      V1,
      { ...V2, priority: 1 },
      { ...V2, priority: 2 },
    );
    expect(reached(publication, { subset: { version: 'v2' } })).toEqual([1]);
    expect(reached(publication, {})).toEqual([0]);
  });

  it('are bounded, and the surplus is told', () => {
    const inputs = Array.from({ length: MAX_SUBSETS + 3 }, (_, index) => ({
      metadata: { id: `${index}` },
    }));
    const publication = publish({ subsets: { selectors: [{ keys: ['id'] }] } }, ...inputs);
    expect(publication.subsetsLeftOutCount).toBe(3);
    expect(publication.scopes).toHaveLength(MAX_SUBSETS + 1);
    // 99 comes last of all by name.
    expect(reached(publication, { subset: { id: '99' } })).toEqual([NO_SLOT]);
  });

  it('do not make the group of everyone where nobody gets there', () => {
    const names = (topology: TopologyOptions): string[] =>
      publish(topology, V1, V2).scopes.map(({ name }) => name);
    const subsets = { selectors: [{ keys: ['version'] }], default: { version: 'v1' } };
    expect(names({ subsets })).toEqual(['version=v1', 'version=v2']);
    expect(names({ subsets: { ...subsets, fallback: 'any' } })).toEqual([
      '',
      'version=v1',
      'version=v2',
    ]);
  });
});

describe('a split', () => {
  const canary = (weight: number): TopologyOptions => ({
    split: {
      sides: {
        canary: { subset: { version: 'v2' }, weight },
        stable: { subset: { version: 'v1' }, weight: 100 - weight },
      },
    },
  });
  const fleet = [...times(8, V1), V2, V2];
  const keys = Array.from({ length: 2_000 }, (_, key) => ({ hashKey: `user-${key}` }));
  const isCanary = (slot: number): boolean => slot >= 8;

  it.each([0, 5, 50, 100])('sends %d percent to the canary', (weight) => {
    const { picker } = publish(canary(weight), ...fleet);
    const picks = 4_000;
    let count = 0;
    for (let pick = 0; pick < picks; pick++) if (isCanary(picker.pick({}, 0))) count++;
    const p = weight / 100;
    // Five standard deviations of a binomial count.
    expect(Math.abs(count - picks * p)).toBeLessThanOrEqual(5 * Math.sqrt(picks * p * (1 - p)));
  });

  it('binds keys to their side under a policy that does not know keys, too', () => {
    const { picker } = publish(canary(30), ...fleet);
    for (const context of keys) {
      const side = isCanary(picker.pick(context, 0));
      for (let again = 0; again < 5; again++) expect(isCanary(picker.pick(context, 0))).toBe(side);
    }
  });

  it('moves keys one way while the percentage rises, and back while it falls', () => {
    const bench = builderBench({ topology: canary(0) });
    const members = membersOf(...fleet);
    const onCanary = (weight: number): Set<string> => {
      bench.topology.setSplit({ canary: weight, stable: 100 - weight });
      const { picker } = bench.build(members);
      return new Set(
        keys.filter((context) => isCanary(picker.pick(context, 0))).map(({ hashKey }) => hashKey),
      );
    };
    const rising = [0, 1, 5, 20, 50, 100].map(onCanary);
    const falling = [50, 20, 5, 1, 0].map(onCanary);
    rising.slice(1).forEach((now, step) => expect(now.isSupersetOf(rising[step]!)).toBe(true));
    expect(falling).toEqual(rising.slice(0, -1).reverse());
    expect(rising.map((side) => side.size).at(0)).toBe(0);
    expect(rising.at(-1)?.size).toBe(keys.length);
  });

  it('leaves the part of a side that has nobody to the others', () => {
    const publication = publish(canary(50), V1, V1);
    expect(reached(publication, {})).toEqual([0, 1]);
    expect(explained(publication, {})).toEqual([0, 1]);
    expect(reached(publish(canary(99), V1), { hashKey: 'a' })).toEqual([0]);
    expect(reached(publish(canary(100)), {})).toEqual([NO_SLOT]);
  });

  it('crosses over for a request that excludes its whole side', () => {
    const { picker } = publish(canary(99.999), V1, V2);
    expect(picker.pick({ hashKey: 'a' }, 0)).toBe(1);
    expect(picker.pick({ hashKey: 'a', exclude: [1] }, 0)).toBe(0);
    expect(picker.pick({ hashKey: 'a', exclude: [0, 1] }, 0)).toBe(NO_SLOT);
  });

  it('sends nobody to a side of weight 0, not even those who have nowhere else to go', () => {
    const { picker } = publish(canary(0), V1, V2);
    expect(picker.pick({ exclude: [0] }, 0)).toBe(NO_SLOT);
    expect(reached(publish(canary(0), V2), {})).toEqual([NO_SLOT]);
  });

  it('takes the users away from a side that panics, and brings the same ones back', () => {
    const bench = builderBench({ topology: canary(50) });
    const members = membersOf(...fleet);
    const onCanary = (): string[] => {
      const { picker } = bench.build(members);
      return keys
        .filter((context) => isCanary(picker.pick(context, 0)))
        .map(({ hashKey }) => hashKey);
    };
    const before = onCanary();
    expect(before.length).toBeGreaterThan(0);
    for (const slot of [8, 9]) members[slot]!.flags = ejected;
    expect(onCanary()).toEqual([]);
    members[8]!.flags = 0;
    expect(onCanary()).toEqual(before);
  });

  it('goes by its weights where all sides panic', () => {
    const publication = publish(canary(50), { ...V1, flags: ejected }, { ...V2, flags: ejected });
    expect(reached(publication, {})).toEqual([0, 1]);
  });

  it('does not decide over requests that name a subset', () => {
    const topology = { ...canary(100), subsets: { selectors: [{ keys: ['version'] }] } };
    expect(reached(publish(topology, ...fleet), { subset: { version: 'v1' } })).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ]);
  });

  it('may have a side of everyone, and explains what both add up to', () => {
    const topology: TopologyOptions = {
      split: { sides: { canary: { subset: { version: 'v2' }, weight: 20 }, all: { weight: 80 } } },
    };
    const { picker } = publish(topology, V1, V1, V1, V2);
    const shares = new Map(picker.explain({}, 0).map(({ slot, shareRatio }) => [slot, shareRatio]));
    // 80 % over four, and 20 % more for the one with v2.
    expect([0, 1, 2, 3].map((slot) => shares.get(slot))).toEqual([0.2, 0.2, 0.2, 0.4]);
  });

  it('refuses to shift what makes no sense, and changes nothing', () => {
    const { topology } = builderBench({ topology: canary(5) });
    const before = topology.split;
    for (const weights of [
      { nobody: 5 },
      { canary: -1 },
      { canary: Number.NaN },
      { canary: 0, stable: 0 },
    ]) {
      expect(() => topology.setSplit(weights)).toThrow(ConfigError);
    }
    expect(topology.split).toBe(before);
    expect(() => builderBench().topology.setSplit({ canary: 5 })).toThrow(
      'split: expected a cluster with topology.split',
    );
  });
});
