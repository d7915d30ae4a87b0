import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MaglevTable } from './maglev-table.ts';
import { addresses } from './test-support/cases.ts';

const primes = fc.constantFrom(53, 251, 1_009, 4_099);
const anyWeights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 40 });

/** The rule of Envoy, asking everybody in every round: the definition, against which shortcuts are checked. */
function fillByDefinition(
  table: MaglevTable,
  keys: readonly string[],
  weights: readonly number[],
): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const shares = weights.map((weight) => weight / sum);
  const heaviest = Math.max(...shares);
  const turns = [...keys.keys()].sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1));
  const targets = shares.map(() => 0);
  const counts = shares.map(() => 0);
  let free = table.size;
  for (let round = 1; free > 0; round++) {
    for (const endpoint of turns) {
      if (free === 0 || round * shares[endpoint]! < targets[endpoint]!) continue;
      targets[endpoint] = targets[endpoint]! + heaviest;
      counts[endpoint] = counts[endpoint]! + 1;
      free--;
    }
  }
  return counts;
}

describe('MaglevTable', () => {
  it('has no holes, and equal weights own equal numbers give or take one', () => {
    const even = fc.property(primes, fc.integer({ min: 1, max: 50 }), (size, count) => {
      const table = new MaglevTable({ keys: addresses(count), size });
      expect(table.entries.every((endpoint) => endpoint < count)).toBe(true);
      expect(table.counts.reduce((sum, entries) => sum + entries, 0)).toBe(size);
      for (const entries of table.counts) {
        expect([Math.floor(size / count), Math.ceil(size / count)]).toContain(entries);
      }
    });
    fc.assert(even, { seed: 1, numRuns: 100 });
  });

  it('gives weights their shares within a couple of entries', () => {
    const proportional = fc.property(
      fc.constantFrom(4_099, 65_537),
      anyWeights,
      (size, weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const table = new MaglevTable({ keys: addresses(weights.length), weights, size });
        for (const [endpoint, weight] of weights.entries()) {
          const excess = table.counts[endpoint]! - (size * weight) / sum;
          // After r rounds everybody has between r w / heaviest and one more turn. The surplus of all, at most one each,
          // belongs to the ideal shares in proportion: a heavy one may lack its part of that. The last round may be cut
          // short, which is one turn more or less.
          expect(excess).toBeLessThanOrEqual(2);
          expect(excess).toBeGreaterThanOrEqual(-1 - (weights.length * weight) / sum);
        }
      },
    );
    fc.assert(proportional, { seed: 2, numRuns: 60 });
  });

  it('follows the rule of the rounds for any weights, steep ones included', () => {
    // A heaviest share above 64 times the mean takes the calendar: same turns by another way.
    const steep = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 })), {
      minLength: 70,
      maxLength: 120,
    });
    const same = fc.property(
      fc.oneof(anyWeights, steep),
      fc.constantFrom(1, 5_000, 100_000),
      (light, heavy) => {
        const weights = [heavy, ...light];
        const keys = addresses(weights.length);
        const table = new MaglevTable({ keys, weights, size: 1_009 });
        expect([...table.counts]).toEqual(fillByDefinition(table, keys, weights));
      },
    );
    fc.assert(same, { seed: 3, numRuns: 150 });
  });

  it('does not depend on the order of the endpoints', () => {
    const keys = ['z', 'é', '\u{1f600}', '\uffee', '\ue000', 'a', 'ab', 'a\u{10ffff}', 'a\ufffd'];
    const weights = new Map(keys.map((key, index) => [key, 1 + (index % 3)]));
    const owners = (order: readonly string[]): string[] => {
      const table = new MaglevTable({
        keys: order,
        weights: order.map((key) => weights.get(key)!),
        size: 251,
      });
      return Array.from(table.entries, (endpoint) => order[endpoint]!);
    };
    const expected = owners(keys);
    const independent = fc.property(
      fc.shuffledSubarray(keys, { minLength: keys.length }),
      (order) => {
        expect(owners(order)).toEqual(expected);
      },
    );
    fc.assert(independent, { seed: 4, numRuns: 50 });
  });

  it('takes turns in the order of UTF-8 bytes', () => {
    // With as many endpoints as entries everybody has one turn, so the first in order gets its first preference.
    const keys = ['\u{1f600}', '\uffee'];
    const bytes = keys.map((key) => Buffer.from(key));
    expect(Buffer.compare(bytes[1]!, bytes[0]!)).toBeLessThan(0);
    expect(keys[0]! < keys[1]!).toBe(true); // UTF-16 would have it the other way round
    // 17 entries over two endpoints: the one whose turn is first owns one more.
    expect([...new MaglevTable({ keys, size: 17 }).counts]).toEqual([8, 9]);
  });

  it('is deterministic', () => {
    const keys = addresses(77);
    expect(new MaglevTable({ keys }).entries).toEqual(new MaglevTable({ keys }).entries);
  });

  // Excess: entries of endpoints that stay which change their owner, as a percentage of the table. The bounds are those
  // measured over ten draws for the same sizes, with a margin of half of the range on both sides.
  it.each([
    { count: 10, removed: 1, mean: 0.34, max: 0.9 },
    { count: 100, removed: 1, mean: 0.57, max: 1.2 },
    { count: 100, removed: 5, mean: 0.88, max: 1.5 },
    { count: 1_000, removed: 1, mean: 0.56, max: 1.2 },
    { count: 1_000, removed: 50, mean: 3.22, max: 4.2 },
  ])(
    'moves few entries of survivors: $removed of $count removed',
    ({ count, removed, mean, max }) => {
      const keys = addresses(count);
      const before = new MaglevTable({ keys });
      const draws = 4;
      let total = 0;
      for (let draw = 0; draw < draws; draw++) {
        const gone = new Set(
          Array.from({ length: removed }, (_, index) => (index * 19 + draw * 7) % count),
        );
        const left = [...keys.keys()].filter((endpoint) => !gone.has(endpoint));
        const after = new MaglevTable({ keys: left.map((endpoint) => keys[endpoint]!) });
        let moved = 0;
        for (const [entry, endpoint] of before.entries.entries()) {
          if (!gone.has(endpoint) && left[after.entries[entry]!] !== endpoint) moved++;
        }
        const percent = (100 * moved) / before.size;
        expect(percent).toBeLessThan(max);
        total += percent;
      }
      expect(total / draws).toBeGreaterThan(mean * 0.5);
      expect(total / draws).toBeLessThan(mean * 1.5);
    },
  );
});
