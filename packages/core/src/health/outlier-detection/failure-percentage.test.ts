import { describe, expect, it } from 'vitest';
import { type FailurePercentageConfig, failurePercentageSchema } from './comparison-config.ts';
import { FailurePercentage } from './failure-percentage.ts';
import type { FailureOrigin } from './interval-counts.ts';
import type { Outlier } from './rule.ts';
import { type Ended, hundredWith, intervalOf, slotsTo } from './test-support/interval-of.ts';

function sweep(
  slots: readonly Ended[],
  options: Partial<FailurePercentageConfig> = {},
  origin: FailureOrigin = 'any',
): readonly Outlier[] {
  const rule = new FailurePercentage(failurePercentageSchema.parse(options), origin);
  return rule.sweep(slotsTo(slots.length), intervalOf(...slots));
}

const slotsOf = (found: readonly Outlier[]): number[] => found.map(({ slot }) => slot);
const good = new Array<Ended>(4).fill(hundredWith(0));

describe('FailurePercentage', () => {
  it.each([
    [84, []],
    [85, [4]],
    [100, [4]],
  ])('%i %% of failures: %j', (failures, expected) => {
    expect(slotsOf(sweep([...good, hundredWith(failures)]))).toEqual(expected);
  });

  it('can ask for everything to fail', () => {
    expect(slotsOf(sweep([...good, hundredWith(99)], { thresholdPercent: 100 }))).toEqual([]);
    expect(slotsOf(sweep([...good, hundredWith(100)], { thresholdPercent: 100 }))).toEqual([4]);
  });

  it('does not ask how the others are doing, and names the worst first', () => {
    expect(slotsOf(sweep([90, 100, 86, 95, 88].map(hundredWith)))).toEqual([1, 3, 0, 4, 2]);
  });

  it('judges nobody when fewer than the least number have enough requests', () => {
    const bad = { serverError: 50 };
    expect(slotsOf(sweep([bad, ...good.slice(1), { success: 49 }]))).toEqual([]);
    expect(slotsOf(sweep([bad, ...good]))).toEqual([0]);
    expect(slotsOf(sweep([bad], { minimumEndpoints: 1 }))).toEqual([0]);
  });

  it('does not judge an endpoint with too few requests', () => {
    expect(slotsOf(sweep([{ serverError: 49 }, ...good, ...good]))).toEqual([]);
  });

  it('with local-origin failures split off looks at each kind for itself', () => {
    const slots = [...good, { serverError: 90, success: 10 }, { timeout: 90, success: 10 }];
    expect(sweep(slots, { minimumRequests: 10 }, 'external')).toEqual([
      {
        slot: 4,
        finding: {
          detector: 'failure-percentage',
          reason: '90 of 100 requests failed (limit 85 %)',
        },
      },
    ]);
    expect(sweep(slots, {}, 'local')).toEqual([
      {
        slot: 5,
        finding: {
          detector: 'local-origin-failure-percentage',
          reason: '90 of 100 requests failed (limit 85 %)',
        },
      },
    ]);
  });
});
