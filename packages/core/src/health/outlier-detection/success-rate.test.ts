import { describe, expect, it } from 'vitest';
import { successRateSchema, type SuccessRateConfig } from './comparison-config.ts';
import type { FailureOrigin } from './interval-counts.ts';
import { SuccessRate } from './success-rate.ts';
import { type Ended, hundredWith, intervalOf, slotsTo } from './test-support/interval-of.ts';

/** Envoy and gRFC A50 to the letter. */
const PLAIN = { minimumDifferencePercent: 0, falseAlarmRatio: 1 };

function sweep(
  slots: readonly Ended[],
  options: Partial<SuccessRateConfig> = {},
  origin: FailureOrigin = 'any',
): number[] {
  const rule = new SuccessRate(successRateSchema.parse(options), origin);
  return rule.sweep(slotsTo(slots.length), intervalOf(...slots)).map(({ slot }) => slot);
}

const many = (count: number, ended: Ended): Ended[] => new Array<Ended>(count).fill(ended);

describe('SuccessRate', () => {
  it('finds the one that fails among those that do not', () => {
    expect(sweep([...many(9, hundredWith(1)), hundredWith(20)])).toEqual([9]);
    expect(sweep([hundredWith(100), ...many(4, hundredWith(0))])).toEqual([0]);
  });

  it('finds nobody among equals', () => {
    expect(sweep(many(10, hundredWith(0)))).toEqual([]);
    expect(sweep(many(10, hundredWith(50)))).toEqual([]);
    expect(sweep(many(10, hundredWith(100)))).toEqual([]);
  });

  it('does not mind one that is better than the others', () => {
    expect(sweep([...many(9, hundredWith(50)), hundredWith(0)], PLAIN)).toEqual([]);
  });

  it('does as the worked example in the documentation says', () => {
    // Rates 0.99, 0.98, 1, 0.99, 0.97, 0.99, 1, 0.98, 0.99, 0.80: mean 0.969, deviation 0.0571, threshold 0.8606.
    const failures = [1, 2, 0, 1, 3, 1, 0, 2, 1, 20];
    const rule = new SuccessRate(successRateSchema.parse({}), 'any');
    const found = rule.sweep(slotsTo(10), intervalOf(...failures.map(hundredWith)));
    expect(found).toEqual([
      {
        slot: 9,
        finding: {
          detector: 'success-rate',
          reason: 'success rate 80.0 % of 100 requests, below 86.1 % (mean of the members 96.9 %)',
        },
      },
    ]);
  });

  // k of n endpoints that fail alike are sqrt((n - k) / k) deviations below the mean.
  it.each([
    { members: 5, bad: 1, found: true },
    { members: 5, bad: 2, found: false },
    { members: 9, bad: 2, found: false },
    { members: 10, bad: 2, found: true },
    { members: 13, bad: 3, found: false },
    { members: 14, bad: 3, found: true },
    { members: 100, bad: 21, found: true },
    { members: 100, bad: 22, found: false },
  ])('$bad of $members that fail alike: $found', ({ members, bad, found }) => {
    const slots = [...many(bad, hundredWith(60)), ...many(members - bad, hundredWith(0))];
    expect(Math.sqrt((members - bad) / bad) > 1.9).toBe(found);
    expect(sweep(slots)).toEqual(found ? slotsTo(bad) : []);
  });

  it('names the worst first', () => {
    const slots = [...many(20, hundredWith(1)), hundredWith(50), hundredWith(60), hundredWith(55)];
    expect(sweep(slots)).toEqual([21, 22, 20]);
  });

  it('may see a lesser one only when the worst is out, which widens the deviation', () => {
    const slots = [...many(9, hundredWith(0)), hundredWith(20), hundredWith(90)];
    expect(sweep(slots)).toEqual([10]);
    expect(sweep(slots.slice(0, -1))).toEqual([9]);
  });

  it('judges nobody when fewer than the least number have enough requests', () => {
    const bad = hundredWith(90);
    expect(sweep([bad, ...many(3, hundredWith(0))])).toEqual([]);
    expect(sweep([bad, ...many(3, hundredWith(0)), ...many(9, { success: 99 })])).toEqual([]);
    expect(sweep([bad, ...many(4, hundredWith(0)), ...many(9, { success: 99 })])).toEqual([0]);
    expect(sweep([bad, ...many(5, hundredWith(0))], { minimumEndpoints: 7 })).toEqual([]);
  });

  it('does not judge an endpoint with too few requests', () => {
    expect(sweep([{ serverError: 99 }, ...many(9, hundredWith(0))])).toEqual([]);
    expect(sweep([{ serverError: 100 }, ...many(9, hundredWith(0))])).toEqual([0]);
    expect(
      sweep([{ serverError: 30 }, ...many(9, hundredWith(0))], { minimumRequests: 30 }),
    ).toEqual([0]);
  });

  it('counts neither cancelled requests nor those told to come later', () => {
    const shedding = { success: 100, overloaded: 900, cancelled: 900 };
    expect(sweep([shedding, ...many(9, hundredWith(0))])).toEqual([]);
    expect(sweep([{ success: 50, overloaded: 900 }, ...many(9, hundredWith(0))])).toEqual([]);
  });

  describe('guards', () => {
    it('one failure in a hundred among the perfect is an accident, which the plain rule ejects', () => {
      const slots = [...many(4, hundredWith(0)), hundredWith(1)];
      expect(sweep(slots, PLAIN)).toEqual([4]);
      expect(sweep(slots, { minimumDifferencePercent: 0 })).toEqual([]);
      expect(sweep(slots)).toEqual([]);
    });

    it('a difference that nobody feels does not cost an endpoint, however certain it is', () => {
      const good = { success: 99_900, serverError: 100 };
      const slots = [...many(9, good), { success: 97_000, serverError: 3_000 }];
      expect(sweep(slots, { minimumDifferencePercent: 0 })).toEqual([9]);
      expect(sweep(slots)).toEqual([]);
    });

    it('few requests leave room for chance where many do not', () => {
      const slots = (scale: number): Ended[] => [
        ...many(9, { success: 9 * scale, serverError: scale }),
        { success: 7 * scale, serverError: 3 * scale },
      ];
      expect(sweep(slots(10), PLAIN)).toEqual([9]);
      expect(sweep(slots(10))).toEqual([]);
      expect(sweep(slots(30))).toEqual([9]);
    });
  });

  describe('with local-origin failures split off', () => {
    const slots = [
      ...many(8, hundredWith(0)),
      { success: 100, serverError: 50 },
      { success: 100, timeout: 50 },
    ];

    it('each kind is compared for itself', () => {
      expect(sweep(slots, {}, 'external')).toEqual([8]);
      expect(sweep(slots, {}, 'local')).toEqual([9]);
    });

    it('the name says which', () => {
      const rule = new SuccessRate(successRateSchema.parse({}), 'local');
      expect(rule.sweep(slotsTo(10), intervalOf(...slots))[0]?.finding).toEqual({
        detector: 'local-origin-success-rate',
        reason:
          'requests answered 66.7 % of 150 requests, below 77.7 % (mean of the members 96.7 %)',
      });
    });
  });
});
