import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apertureArc } from './aperture-arc.ts';

const sum = (values: Iterable<number>): number =>
  [...values].reduce((total, value) => total + value, 0);

/** Load of each endpoint from all clients together. */
function loads(peerCount: number, endpointCount: number, aperture: number): number[] {
  const total = Array<number>(endpointCount).fill(0);
  for (let peerIndex = 0; peerIndex < peerCount; peerIndex++) {
    const arc = apertureArc({ peerIndex, peerCount, endpointCount, aperture });
    for (const [place, endpoint] of arc.endpoints.entries())
      total[endpoint]! += arc.weights[place]!;
  }
  return total;
}

describe('apertureArc', () => {
  it('has the example of its drawing', () => {
    const arc = apertureArc({ peerIndex: 1, peerCount: 6, endpointCount: 4, aperture: 2 });
    expect([...arc.endpoints]).toEqual([0, 1, 2]);
    expect([...arc.weights]).toEqual([1 / 3, 1, 2 / 3]);
  });

  it('loads every endpoint exactly alike, and gives every client its aperture', () => {
    const counts = fc.integer({ min: 1, max: 40 });
    const even = fc.property(
      counts,
      counts,
      fc.integer({ min: 1, max: 50 }),
      (peerCount, endpointCount, aperture) => {
        const parts = Math.min(peerCount, Math.ceil((aperture * peerCount) / endpointCount));
        for (const load of loads(peerCount, endpointCount, aperture))
          expect(load).toBeCloseTo(parts, 9);
        const arc = apertureArc({ peerIndex: 0, peerCount, endpointCount, aperture });
        expect(sum(arc.weights)).toBeCloseTo((parts * endpointCount) / peerCount, 9);
        expect(sum(arc.weights)).toBeGreaterThanOrEqual(Math.min(aperture, endpointCount) - 1e-9);
      },
    );
    fc.assert(even, { seed: 1, numRuns: 300 });
  });

  it('lists each endpoint once with a weight from 0 to 1', () => {
    const counts = fc.integer({ min: 1, max: 200 });
    const listed = fc.property(
      counts,
      counts,
      fc.nat(),
      fc.integer({ min: 1, max: 20 }),
      (peers, endpoints, peer, aperture) => {
        const arc = apertureArc({
          peerIndex: peer % peers,
          peerCount: peers,
          endpointCount: endpoints,
          aperture,
        });
        expect(new Set(arc.endpoints).size).toBe(arc.endpoints.length);
        expect(arc.weights.length).toBe(arc.endpoints.length);
        for (const weight of arc.weights) {
          expect(weight).toBeGreaterThan(0);
          expect(weight).toBeLessThanOrEqual(1 + 1e-12);
        }
      },
    );
    fc.assert(listed, { seed: 2, numRuns: 500 });
  });

  // The schemes of subsetting compared in numbers of connections: random subsets of 5 of 100 leave endpoints without any.
  it.each([
    [300, 300, 90],
    [300, 300, 30],
    [100, 100, 5],
    [1_000, 1_000, 20],
    [2_000, 10, 5],
  ])('is even for %d clients, %d endpoints, aperture %d', (peerCount, endpointCount, aperture) => {
    const total = loads(peerCount, endpointCount, aperture);
    expect(Math.max(...total) / Math.min(...total)).toBeCloseTo(1, 9);
  });

  it('is the whole circle when the aperture asks for it, or nothing without endpoints', () => {
    const whole = apertureArc({ peerIndex: 3, peerCount: 5, endpointCount: 4, aperture: 12 });
    expect([...whole.endpoints]).toEqual([0, 1, 2, 3]);
    expect([...whole.weights]).toEqual([1, 1, 1, 1]);
    expect(
      apertureArc({ peerIndex: 0, peerCount: 1, endpointCount: 0, aperture: 1 }).endpoints.length,
    ).toBe(0);
  });

  it.each([
    [{ peerIndex: 3, peerCount: 3 }, 'peerIndex must be between 0 and 2, got 3'],
    [{ peerCount: 0 }, 'peerCount must be between 1 and 10000000, got 0'],
    [{ endpointCount: -1 }, 'endpointCount must be between 0 and 10000000, got -1'],
    [{ aperture: 0 }, 'aperture must be at least 1, got 0'],
  ])('refuses %j', (options, message) => {
    const base = { peerIndex: 0, peerCount: 1, endpointCount: 1, aperture: 1 };
    expect(() => apertureArc({ ...base, ...options })).toThrow(new RangeError(message));
  });
});
