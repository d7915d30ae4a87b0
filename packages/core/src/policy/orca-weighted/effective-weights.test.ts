import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../model/endpoint.ts';
import type { Members } from '../../model/members.ts';
import { effectiveWeights } from './effective-weights.ts';
import { NO_WEIGHT } from './reported-weights.ts';

function membersOf(weights: readonly number[], factors?: readonly number[]): Members {
  return {
    version: 1,
    slots: Int32Array.from(weights.keys()),
    weights: Float64Array.from(weights),
    factors: factors && Float64Array.from(factors),
    endpoints: weights.map((_, index) => createEndpoint(`10.0.0.${index}:80`)),
  };
}

/** Weights in requests per second. */
function perSecond(reported: readonly number[], factors?: readonly number[]): number[] {
  const members = membersOf(
    reported.map(() => 1),
    factors,
  );
  const { weights, unit } = effectiveWeights(members, Float64Array.from(reported));
  return [...weights].map((weight) => weight * unit);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, index) => expect(value / (expected[index] ?? NaN)).toBeCloseTo(1, 9));
}

describe('effective weights', () => {
  it('are the reported ones', () => {
    expectClose(perSecond([100, 200, 400]), [100, 200, 400]);
  });

  it('are the mean of the others for members without a report', () => {
    expectClose(perSecond([100, NO_WEIGHT, 300, NO_WEIGHT]), [100, 200, 300, 200]);
  });

  it.for([[[]], [[0]], [[0, 0, 0]], [[0, 500, 0]]])(
    'are those of discovery with fewer than two reports: %j',
    ([reported = []]) => {
      const members = membersOf(reported.map((_, index) => index + 1));
      const { weights, unit, knownCount } = effectiveWeights(members, Float64Array.from(reported));
      expect(weights).toBe(members.weights);
      expect(unit).toBe(NO_WEIGHT);
      expect(knownCount).toBe(reported.filter((weight) => weight > 0).length);
    },
  );

  it('are no more than ten times the median, and no less than a hundredth', () => {
    expectClose(perSecond([100, 100, 5_000, 0.01, 100]), [100, 100, 1_000, 1, 100]);
  });

  it.for([1e9, 1e300, Number.MAX_VALUE])(
    'leave the others their shares when one of them reports %d',
    (lie) => {
      expectClose(perSecond([100, 200, 300, 200, lie]), [100, 200, 300, 200, 2_000]);
      // Those without a report count as the mean of what counts, not of what is claimed.
      expectClose(perSecond([100, 100, 100, lie, NO_WEIGHT]), [100, 100, 100, 1_000, 325]);
    },
  );

  it('are bounded between two of whom one lies', () => {
    expectClose(perSecond([100, 1e9]), [100, 1_000]);
    expectClose(perSecond([100, 1e-9]), [1e-8, 1e-9]);
  });

  it('can be taken turns by, whatever is reported', () => {
    for (const reported of [
      [Number.MIN_VALUE, Number.MAX_VALUE],
      [Number.MAX_VALUE, Number.MAX_VALUE, NO_WEIGHT],
      [Number.MIN_VALUE, Number.MIN_VALUE, NO_WEIGHT],
    ]) {
      const { weights } = effectiveWeights(membersOf([1, 1, 1]), Float64Array.from(reported));
      for (const weight of weights) {
        expect(weight).toBeGreaterThanOrEqual(0.01);
        expect(weight).toBeLessThanOrEqual(10);
      }
    }
  });

  it('keep what the client thinks of a member: slow start multiplies whatever it reports', () => {
    expectClose(perSecond([100, 100, NO_WEIGHT], [1, 0.1, 0.5]), [100, 10, 50]);
  });

  it('do not heed the weights of discovery once reports decide', () => {
    const { weights, unit } = effectiveWeights(membersOf([1, 7]), Float64Array.of(100, 100));
    expectClose(
      [...weights].map((weight) => weight * unit),
      [100, 100],
    );
  });
});
