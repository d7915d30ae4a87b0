import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../model/endpoint.ts';
import { hasLabels, type Labels, SubsetIndex, subsetName, subsetsOf } from './subset.ts';

const KEYS = ['stage', 'version', 'zone,=', 'constructor'];
const value = fc.constantFrom('', 'a', 'b', 'a,b', 'a=b', '\\');
const labels: fc.Arbitrary<Labels> = fc
  .subarray(KEYS)
  .chain((keys) =>
    fc
      .array(value, { minLength: keys.length, maxLength: keys.length })
      .map((values) => Object.fromEntries(keys.map((key, at) => [key, values[at] ?? '']))),
  );
const fleet = fc.array(labels, { maxLength: 30 }).map((all) =>
  all.map((metadata, index) => ({
    endpoint: createEndpoint({ address: `10.0.0.1:${index + 1}`, metadata }),
  })),
);
const selectors = fc
  .uniqueArray(fc.subarray(KEYS, { minLength: 1 }), {
    selector: (keys) => keys.toSorted().join(),
    maxLength: 4,
  })
  .map((lists) => lists.map((keys) => ({ keys: keys.toSorted(), fallback: 'none' as const })));

describe('subsets, any labels', () => {
  it('hold exactly those that carry their labels, and nobody carries labels without a subset', () => {
    fc.assert(
      fc.property(fleet, selectors, (members, rules) => {
        const { subsets, leftOutCount } = subsetsOf(members, rules);
        expect(leftOutCount).toBe(0);
        expect(new Set(subsets.map((subset) => subsetName(subset.labels))).size).toBe(
          subsets.length,
        );
        for (const subset of subsets) {
          const holders = members.filter(
            ({ endpoint }) =>
              hasLabels(endpoint, subset.labels) &&
              Object.keys(subset.labels).every((key) => Object.hasOwn(endpoint.metadata, key)),
          );
          expect(subset.members).toEqual(holders);
          expect(holders.length).toBeGreaterThan(0);
        }
        const places = subsets.reduce((sum, subset) => sum + subset.members.length, 0);
        const expected = rules.reduce(
          (sum, { keys }) =>
            sum +
            members.filter(({ endpoint }) =>
              keys.every((key) => Object.hasOwn(endpoint.metadata, key)),
            ).length,
          0,
        );
        expect(places).toBe(expected);
      }),
      { seed: 1 },
    );
  });

  it('are found by their labels in any order, and by no others', () => {
    fc.assert(
      fc.property(fleet, selectors, labels, (members, rules, asked) => {
        const { subsets } = subsetsOf(members, rules);
        const index = new SubsetIndex(
          rules,
          subsets.map((subset) => [subset.labels, subsetName(subset.labels)] as const),
        );
        const reversed = Object.fromEntries(Object.entries(asked).reverse());
        const names = subsets.map((subset) => subsetName(subset.labels));
        const name = subsetName(asked);
        const expected = names.includes(name) ? name : undefined;
        expect(index.find(asked)).toBe(expected);
        expect(index.find(reversed)).toBe(expected);
      }),
      { seed: 2 },
    );
  });
});
