import { describe, expect, it } from 'vitest';
import { rankShares, uniformTail, weightedPairShares } from './rank-shares.ts';

/** Sums a probability over every ordered pair of distinct indexes, the slow and obvious way. */
function pairShares(p: readonly number[], winner: (a: number, b: number) => number): number[] {
  const shares = p.map(() => 0);
  p.forEach((pa, a) =>
    p.forEach((pb, b) => {
      if (a === b) return;
      const best = winner(a, b);
      shares[best] = (shares[best] ?? 0) + (pa * pb) / (1 - pa);
    }),
  );
  return shares;
}

describe('rankShares', () => {
  it('is 2 (n - 1 - r) / (n (n - 1)) for the better of two distinct', () => {
    const shares = rankShares([1, 2, 3, 4], uniformTail(4, 2));
    [3 / 6, 2 / 6, 1 / 6, 0].forEach((share, rank) => expect(shares[rank]).toBeCloseTo(share, 12));
  });

  it('divides the share of a tie evenly', () => {
    const shares = rankShares([1, 1, 5, 5], uniformTail(4, 2));
    [5 / 12, 5 / 12, 1 / 12, 1 / 12].forEach((share, rank) =>
      expect(shares[rank]).toBeCloseTo(share, 12),
    );
  });

  it('sums to 1 for any number of draws and candidates', () => {
    for (const count of [1, 2, 3, 7, 100]) {
      for (const draws of [2, 3, 10]) {
        const scores = Array.from({ length: count }, (_, rank) => Math.floor(rank / 2));
        const sum = rankShares(scores, uniformTail(count, draws)).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 12);
      }
    }
  });

  it('gives everything to a candidate that is alone', () => {
    expect(rankShares([3], uniformTail(1, 2))).toEqual([1]);
    expect(weightedPairShares([3], [1])).toEqual([1]);
  });
});

describe('weightedPairShares', () => {
  it('agrees with the sum over all pairs', () => {
    const p = [0.1, 0.4, 0.2, 0.25, 0.05];
    for (const scores of [
      [1, 2, 3, 4, 5],
      [1, 1, 3, 3, 3],
      [7, 7, 7, 7, 7],
    ]) {
      const expected = pairShares(p, (a, b) => (scores[b]! < scores[a]! ? b : a));
      weightedPairShares(scores, p).forEach((share, rank) =>
        expect(share).toBeCloseTo(expected[rank]!, 12),
      );
    }
  });
});
