import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingPoints } from './ring-points.ts';
import { anyInt32 } from './test-support/cases.ts';
import { toBigInt } from './uint64.ts';

/** Clustered and scattered positions. */
const anyHalf = fc.oneof(fc.constantFrom(0, 1, -1, -(2 ** 31)), anyInt32);
const anyRing = fc.array(fc.tuple(anyHalf, anyHalf, fc.nat({ max: 5 })), {
  minLength: 1,
  maxLength: 80,
});
const ENDPOINTS = 6;

function build(points: readonly (readonly [number, number, number])[]): RingPoints {
  return new RingPoints({
    hi: Int32Array.from(points, ([hi]) => hi),
    lo: Int32Array.from(points, ([, lo]) => lo),
    owners: Uint32Array.from(points, ([, , owner]) => owner),
    endpointCount: ENDPOINTS,
  });
}

describe('RingPoints', () => {
  it('finds the first point at or behind a position, else the first of all', () => {
    const found = fc.property(anyRing, anyHalf, anyHalf, (points, hi, lo) => {
      const ring = build(points);
      const positions = Array.from({ length: ring.size }, (_, point) =>
        toBigInt(ring.positionOf(point)),
      );
      const expected = positions.findIndex((position) => position >= toBigInt({ hi, lo }));
      expect(ring.find(hi, lo)).toBe(Math.max(0, expected));
    });
    fc.assert(found, { seed: 1, numRuns: 1_000 });
  });

  it('keeps every point and its owner', () => {
    const kept = fc.property(anyRing, (points) => {
      const ring = build(points);
      const ours = Array.from({ length: ring.size }, (_, point) => {
        return `${toBigInt(ring.positionOf(point))} ${ring.ownerOf(point)}`;
      });
      expect(ours.sort()).toEqual(
        points.map(([hi, lo, owner]) => `${toBigInt({ hi, lo })} ${owner}`).sort(),
      );
      const counts = points.reduce(
        (sum, [, , owner]) => sum.with(owner, sum[owner]! + 1),
        Array(ENDPOINTS).fill(0),
      );
      expect([...ring.counts]).toEqual(counts);
    });
    fc.assert(kept, { seed: 2, numRuns: 300 });
  });

  it('walks over distinct owners in the order of the ring', () => {
    const walked = fc.property(
      anyRing,
      fc.nat(),
      fc.integer({ min: 0, max: 8 }),
      (points, start, room) => {
        const ring = build(points);
        const from = start % ring.size;
        const owners = Array.from({ length: ring.size }, (_, step) =>
          ring.ownerOf((from + step) % ring.size),
        );
        const expected = [...new Set(owners)].slice(0, room);
        const out = new Int32Array(room);
        const count = ring.walk(from, out);
        expect([...out.subarray(0, count)]).toEqual(expected);
      },
    );
    fc.assert(walked, { seed: 3, numRuns: 500 });
  });

  it('knows the part of the circle that each endpoint owns', () => {
    const owned = fc.property(anyRing, (points) => {
      const ring = build(points);
      const arcs = Array<bigint>(ENDPOINTS).fill(0n);
      let before = toBigInt(ring.positionOf(ring.size - 1)) - 2n ** 64n;
      for (let point = 0; point < ring.size; point++) {
        const position = toBigInt(ring.positionOf(point));
        arcs[ring.ownerOf(point)] = arcs[ring.ownerOf(point)]! + position - before;
        before = position;
      }
      for (const [endpoint, share] of ring.shares().entries()) {
        // Doubles: 80 additions of numbers up to 1.
        expect(Math.abs(share - Number(arcs[endpoint]) / 2 ** 64)).toBeLessThan(80 * 2 ** -52);
      }
    });
    fc.assert(owned, { seed: 4, numRuns: 300 });
  });
});
