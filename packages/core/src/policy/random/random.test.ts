import { describe, expect, it } from 'vitest';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy } from '../standalone.ts';

describe('random', () => {
  it('is as uneven as independent draws are, not less and not more', () => {
    const policy = createPolicy('random', {
      endpoints: Array.from({ length: 100 }, (_, index) => `h${index}:1`),
      random: new XorShift128(1),
    });
    const counts = Array.from({ length: 100 }, () => 0);
    for (let pick = 0; pick < 100_000; pick++) {
      const slot = policy.pick({}, 0);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    // 99 degrees of freedom: mean 99, standard deviation sqrt(198) = 14; 4 of them to either side.
    expect(Math.abs(chiSquare - 99)).toBeLessThan(56);
  });

  it('keeps the weights among the endpoints that a request does not exclude', () => {
    const policy = createPolicy('random', {
      endpoints: [1, 2, 3, 6].map((weight, index) => ({ address: `h${index}:1`, weight })),
      random: new XorShift128(1),
    });
    const counts = [0, 0, 0, 0];
    for (let pick = 0; pick < 20_000; pick++) {
      const slot = policy.pick({ exclude: [3] }, 0);
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    [1 / 6, 2 / 6, 3 / 6, 0].forEach((share, slot) =>
      expect(Math.abs((counts[slot] ?? 0) / 20_000 - share)).toBeLessThan(0.02),
    );
    const shares = policy
      .explain({ exclude: [3] }, 0)
      .map(({ slot, shareRatio }) => [slot, shareRatio]);
    expect(shares).toEqual([
      [2, 3 / 6],
      [1, 2 / 6],
      [0, 1 / 6],
      [3, 0],
    ]);
  });
});
