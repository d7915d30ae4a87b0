import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rendezvous } from './rendezvous.ts';
import { addresses, anyInt32, histogram, picksOf } from './test-support/cases.ts';

const picks = (choice: Rendezvous, count: number): Int32Array =>
  picksOf((hi, lo) => choice.lookup(hi, lo), count);

const anyWeights = fc.array(fc.double({ min: 0.1, max: 100, noNaN: true }), {
  minLength: 1,
  maxLength: 12,
});

describe('Rendezvous', () => {
  it('moves only the keys of a removed endpoint, whatever the weights', () => {
    const minimal = fc.property(anyWeights, fc.nat(), (weights, chosen) => {
      const keys = addresses(weights.length);
      const removed = chosen % weights.length;
      const all = picks(new Rendezvous({ keys, weights }), 300);
      const rest = new Rendezvous({
        keys: keys.toSpliced(removed, 1),
        weights: weights.toSpliced(removed, 1),
      });
      for (const [key, now] of picks(rest, 300).entries()) {
        const before = all[key]!;
        if (before !== removed) expect(now >= removed ? now + 1 : now).toBe(before);
      }
    });
    fc.assert(minimal, { seed: 1, numRuns: 100 });
  });

  it('moves keys only to an endpoint that gains weight', () => {
    const keys = addresses(5);
    const before = picks(new Rendezvous({ keys, weights: [1, 1, 1, 1, 2] }), 5_000);
    const after = picks(new Rendezvous({ keys, weights: [1, 1, 1, 1, 3] }), 5_000);
    for (const [key, endpoint] of before.entries()) {
      if (after[key] !== endpoint) expect(after[key]).toBe(4);
    }
  });

  it.each([
    { name: 'equal weights', weights: Array<number>(10).fill(1) },
    { name: 'mild weights', weights: [1, 2, 3, 4, 5, 1, 2, 3, 4, 5] },
    { name: 'steep weights', weights: [0.01, 0.1, 1, 10, 100] },
  ])('gives exactly proportional shares: $name', ({ weights }) => {
    const keys = 200_000;
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const shares = histogram(
      picks(new Rendezvous({ keys: addresses(weights.length), weights }), keys),
      weights.length,
    );
    for (const [endpoint, weight] of weights.entries()) {
      const p = weight / sum;
      // Binomial; 4.5 sigma, and one for the smallest.
      expect(Math.abs(shares[endpoint]! - keys * p)).toBeLessThan(
        4.5 * Math.sqrt(keys * p * (1 - p)) + 1,
      );
    }
  });

  it('takes the second choice in proportion to the remaining weights', () => {
    // Given that the first is gone, the second is distributed as if it had never been there.
    const weights = [1, 2, 3, 4];
    const choice = new Rendezvous({ keys: addresses(4), weights });
    const out = new Int32Array(2);
    const seconds = picksOf((hi, lo) => {
      choice.top(hi, lo, out);
      return out[0] === 3 ? out[1]! : 3;
    }, 100_000);
    const counts = histogram(seconds, 4);
    const firsts = counts[0]! + counts[1]! + counts[2]!; // keys whose first choice is endpoint 3
    for (const endpoint of [0, 1, 2]) {
      expect(counts[endpoint]! / firsts).toBeCloseTo(weights[endpoint]! / 6, 1.5);
    }
  });

  it('lists all in the order in which they would be picked after each other', () => {
    const ordered = fc.property(
      anyWeights,
      fc.boolean(),
      anyInt32,
      anyInt32,
      (drawn, equal, hi, lo) => {
        const weights = equal ? drawn.map(() => 1) : drawn;
        const keys = addresses(weights.length);
        const out = new Int32Array(weights.length + 2);
        const count = new Rendezvous({ keys, weights }).top(hi, lo, out);
        expect(count).toBe(weights.length);
        const left = new Set(keys.keys());
        for (let place = 0; place < count; place++) {
          const members = [...left];
          const next = new Rendezvous({
            keys: members.map((index) => keys[index]!),
            weights: members.map((index) => weights[index]!),
          });
          expect(members[next.lookup(hi, lo)]).toBe(out[place]);
          left.delete(out[place]!);
        }
      },
    );
    fc.assert(ordered, { seed: 2, numRuns: 200 });
  });

  it('lists the same first few whatever the room', () => {
    const choice = new Rendezvous({ keys: addresses(9), weights: [1, 2, 3, 4, 5, 6, 7, 8, 9] });
    const all = new Int32Array(9);
    for (let key = 0; key < 200; key++) {
      choice.top(key, ~key, all);
      for (const room of [0, 1, 2, 5]) {
        const some = new Int32Array(room);
        expect(choice.top(key, ~key, some)).toBe(room);
        expect([...some]).toEqual([...all.subarray(0, room)]);
      }
    }
  });

  it('does not depend on the order of the endpoints', () => {
    const keys = addresses(9);
    const weights = keys.map((_, index) => 1 + (index % 4));
    const forward = picks(new Rendezvous({ keys, weights }), 2_000);
    const backward = picks(
      new Rendezvous({ keys: keys.toReversed(), weights: weights.toReversed() }),
      2_000,
    );
    for (const [key, endpoint] of forward.entries()) expect(8 - backward[key]!).toBe(endpoint);
  });

  it('scores equal weights as any equal weights', () => {
    const keys = addresses(10);
    const ones = picks(new Rendezvous({ keys }), 500);
    expect(picks(new Rendezvous({ keys, weights: keys.map(() => 7) }), 500)).toEqual(ones);
    // With one weight a hair off, the logarithms are used; the order of the others is the same.
    expect(
      picks(
        new Rendezvous({ keys, weights: keys.map((_, index) => (index === 0 ? 1.000_000_1 : 1)) }),
        500,
      ),
    ).toEqual(ones);
  });

  it('has nobody to offer without endpoints and refuses bad input', () => {
    expect(new Rendezvous({ keys: [] }).lookup(1, 2)).toBe(-1);
    expect(new Rendezvous({ keys: [] }).top(1, 2, new Int32Array(3))).toBe(0);
    expect(() => new Rendezvous({ keys: ['a', 'a'] })).toThrow('keys must differ, got "a" twice');
    expect(() => new Rendezvous({ keys: ['a'], weights: [0] })).toThrow(
      'weights[0] must be above 0, got 0',
    );
  });
});
