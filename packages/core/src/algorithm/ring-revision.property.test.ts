import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashRing } from './hash-ring.ts';
import { Ketama } from './ketama.ts';
import { type RingPlan, placePoints } from './ring-revision.ts';
import type { StringHasher } from './string-hasher.ts';

/** Keys with their weights, in any order. */
const anySet = fc.uniqueArray(
  fc.record({
    key: fc.nat({ max: 30 }).map((id) => `10.0.0.${id}:80`),
    weight: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 12, selector: ({ key }) => key },
);
type KeySet = readonly { readonly key: string; readonly weight: number }[];

/** Every point as text: position and owner's key. */
function pointsOf(ring: HashRing, set: KeySet): string[] {
  return Array.from({ length: ring.size }, (_, index) => {
    const { hi, lo, endpoint } = ring.pointAt(index);
    return `${hi} ${lo} ${set[endpoint]?.key}`;
  });
}

function ringOf(
  set: KeySet,
  options: { earlier?: HashRing; hasher?: StringHasher } = {},
): HashRing {
  return new HashRing({
    keys: set.map(({ key }) => key),
    weights: set.map(({ weight }) => weight),
    sizing: { kind: 'stable', pointsPerWeight: 5 },
    ...options,
  });
}

/** A "hash" with so few values that points of different endpoints collide all the time. */
class CoarseHasher implements StringHasher {
  hi = 0;
  lo = 0;
  hashString(text: string): void {
    this.hashBytes(new TextEncoder().encode(text));
  }
  hashBytes(bytes: Uint8Array, length: number = bytes.length): void {
    this.hi = bytes[length - 1]! % 3;
    this.lo = bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0) % 2;
  }
}

describe('a ring built upon an earlier one', () => {
  it('is the ring that is built from scratch, over any history', () => {
    const same = fc.property(fc.array(anySet, { minLength: 1, maxLength: 5 }), (history) => {
      let ring: HashRing | undefined;
      for (const set of history) {
        ring = ringOf(set, ring === undefined ? {} : { earlier: ring });
        expect(pointsOf(ring, set)).toEqual(pointsOf(ringOf(set), set));
      }
    });
    fc.assert(same, { seed: 1, numRuns: 200 });
  });

  it('is the same where points coincide', () => {
    const same = fc.property(anySet, anySet, (before, after) => {
      const hasher = new CoarseHasher();
      const ring = ringOf(after, { hasher, earlier: ringOf(before, { hasher }) });
      expect(pointsOf(ring, after)).toEqual(pointsOf(ringOf(after, { hasher }), after));
    });
    fc.assert(same, { seed: 2, numRuns: 300 });
  });

  it('leaves the earlier ring as it is', () => {
    const untouched = fc.property(anySet, anySet, (before, after) => {
      const ring = ringOf(before);
      const points = pointsOf(ring, before);
      ringOf(after, { earlier: ring });
      expect(pointsOf(ring, before)).toEqual(points);
    });
    fc.assert(untouched, { seed: 3, numRuns: 50 });
  });

  it('is the same for ketama, whose counts follow the shares', () => {
    const same = fc.property(anySet, anySet, (before, after) => {
      const servers = (set: KeySet): { address: string; weight: number }[] =>
        set.map(({ key, weight }) => ({ address: key, weight }));
      const fresh = new Ketama(servers(after));
      const revised = new Ketama(servers(after), new Ketama(servers(before)));
      expect([...revised.counts]).toEqual([...fresh.counts]);
      const order = new Int32Array(after.length);
      const expected = new Int32Array(after.length);
      for (let key = 0; key < 30; key++) {
        const position = fresh.hashKey(`key-${key}`);
        const found = revised.preference(position, order);
        expect(found).toBe(fresh.preference(position, expected));
        expect(order).toEqual(expected);
      }
    });
    fc.assert(same, { seed: 4, numRuns: 30 });
  });

  it('asks only for the points of endpoints that are new or have another number of points', () => {
    const asked: string[] = [];
    const plan = (keys: readonly string[], counts: readonly number[]): RingPlan => ({
      keys,
      counts: Uint32Array.from(counts),
      place: (endpoint) => void asked.push(keys[endpoint]!),
    });
    const earlier = plan(['a', 'b', 'c'], [1, 2, 3]);
    const points = placePoints(earlier);
    expect(asked.splice(0)).toEqual(['a', 'b', 'c']);
    placePoints(plan(['a', 'b', 'd'], [1, 5, 3]), { keys: earlier.keys, points });
    expect(asked).toEqual(['b', 'd']);
  });
});

describe('shares', () => {
  it('are the parts of the circle in front of the points, and 1 in sum', () => {
    const parts = fc.property(anySet, (set) => {
      const ring = ringOf(set);
      const expected = set.map(() => 0n);
      for (let index = 0; index < ring.size; index++) {
        const { hi, lo, endpoint } = ring.pointAt(index);
        const before = ring.pointAt((index + ring.size - 1) % ring.size);
        const arc = BigInt.asUintN(64, positionOf({ hi, lo }) - positionOf(before));
        expected[endpoint] = expected[endpoint]! + (ring.size === 1 ? 2n ** 64n : arc);
      }
      const shares = ring.shares();
      expect(shares).toHaveLength(set.length);
      expected.forEach((arcs, endpoint) =>
        expect(shares[endpoint]).toBeCloseTo(Number(arcs) / 2 ** 64, 12),
      );
    });
    fc.assert(parts, { seed: 5, numRuns: 100 });
  });
});

function positionOf({ hi, lo }: { readonly hi: number; readonly lo: number }): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}
