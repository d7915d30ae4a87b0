import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidenceOfDifference } from './two-samples.ts';

const RUN = { seed: 20_300_102, numRuns: 500 } as const;
const sample = fc.record({ successes: fc.nat(100_000), failures: fc.nat(100_000) });

/** Probabilities of 0..n failures in n requests, from the recurrence of the binomial distribution. */
function binomial(n: number, p: number): number[] {
  const probabilities = new Array<number>(n + 1).fill(0);
  let logChance = n * Math.log1p(-p);
  for (let k = 0; k <= n; k++) {
    probabilities[k] = Math.exp(logChance);
    logChance += Math.log((n - k) / (k + 1)) + Math.log(p / (1 - p));
  }
  return probabilities;
}

describe('evidenceOfDifference', () => {
  it('is never negative, and the same both ways round', () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        const evidence = evidenceOfDifference(one, other);
        expect(evidence).toBeGreaterThanOrEqual(-1e-6);
        expect(Number.isFinite(evidence)).toBe(true);
        expect(evidenceOfDifference(other, one)).toBeCloseTo(evidence, 6);
      }),
      RUN,
    );
  });

  it('is 0 for equal ratios and for an empty sample', () => {
    fc.assert(
      fc.property(sample, fc.integer({ min: 1, max: 100 }), (one, times) => {
        const more = { successes: one.successes * times, failures: one.failures * times };
        expect(Math.abs(evidenceOfDifference(one, more))).toBeLessThan(1e-4);
        expect(Math.abs(evidenceOfDifference(one, { successes: 0, failures: 0 }))).toBeLessThan(
          1e-4,
        );
      }),
      RUN,
    );
  });

  it('grows with the same ratios seen in more requests', () => {
    const evidence = (scale: number): number =>
      evidenceOfDifference(
        { successes: 8 * scale, failures: 2 * scale },
        { successes: 99 * scale, failures: scale },
      );
    expect(evidence(10)).toBeCloseTo(evidence(1) * 10, 9);
  });

  // The promise of `falseAlarmRatio`, summed up over all results that two equal endpoints can have.
  it.each([
    { n: 100, others: 400, ratio: 0.01 },
    { n: 100, others: 400, ratio: 0.1 },
    { n: 100, others: 400, ratio: 0.5 },
    { n: 100, others: 400, ratio: 0.95 },
    { n: 100, others: 4_900, ratio: 0.01 },
    { n: 1_000, others: 4_000, ratio: 0.02 },
    { n: 100, others: 400, ratio: 0.001 },
  ])(
    'exp(-evidence) bounds the chance that equals with $ratio failures differ so, $n against $others',
    ({ n, others, ratio }) => {
      const mine = binomial(n, ratio);
      const theirs = binomial(others, ratio);
      for (const bound of [1e-3, 1e-6, 1e-9]) {
        let chance = 0;
        mine.forEach((one, failures) => {
          if (one < 1e-30) return;
          theirs.forEach((other, otherFailures) => {
            // Only an endpoint that is worse than the others is ever ejected.
            if (other < 1e-30 || failures * others <= otherFailures * n) return;
            const evidence = evidenceOfDifference(
              { successes: n - failures, failures },
              { successes: others - otherFailures, failures: otherFailures },
            );
            if (evidence >= -Math.log(bound)) chance += one * other;
          });
        });
        expect(chance).toBeLessThan(bound);
      }
    },
  );
});
