/** One bad server of 50: nobody may be drawn to it. */
import { describe, expect, it } from 'vitest';
import { BUILT_IN_POLICIES } from '../../../policy/built-in.ts';
import type { PolicyOptions } from '../../../policy/policy.ts';
import type { SimulationResult } from '../result.ts';
import type { ScenarioOptions } from '../scenario/scenario.ts';
import { simulate } from '../simulate.ts';
import { blackHole, failFast, flapping, slow } from './bad-server.ts';

/** Shorter than the scenario: some 40,000 requests. */
function play(scenario: ScenarioOptions, policy: PolicyOptions, health = true): SimulationResult {
  return simulate(
    { ...scenario, warmUpMs: 500, durationMs: 2_500, keyCount: 10_000 },
    { policy, ...(health ? {} : { cluster: { outlierDetection: false } }) },
  );
}

/** Traffic of the bad server, 1 being its fair share. */
function shareOf(result: SimulationResult): number {
  expect(result.leakedCount).toBe(0);
  return result.servers[0]?.shareToFair ?? Number.NaN;
}

describe.each(BUILT_IN_POLICIES.map(({ name }) => name))(
  '%s with the default settings',
  (policy) => {
    it.each([failFast, blackHole, slow])('$name: below the fair share', (scenario) => {
      expect(shareOf(play(scenario, policy))).toBeLessThan(1);
    });
  },
);

describe('without outlier detection', () => {
  it('an oracle that believes what it sees runs to the server that fails at once', () => {
    // The known result is 32 % of all traffic, 16 times the fair share, where requests under way are not seen.
    expect(shareOf(play(failFast, 'jsq', false))).toBeGreaterThan(4);
  });

  it('two choices that forget failures draw more than the fair share to it, those that remember less', () => {
    // Known: 2.4 % of all traffic at 85 % load, the fair share being 2; of 1,500 requests that is 8 deviations more.
    const busy = { ...failFast, load: 85 };
    const forgetful = { name: 'least-request', failurePenalty: 0 };
    expect(shareOf(play(busy, forgetful, false))).toBeGreaterThan(1.1);
    expect(shareOf(play(busy, 'least-request', false))).toBeLessThan(0.2);
  });

  it('the default policy avoids it by itself, and any other bad server', () => {
    for (const scenario of [failFast, blackHole, slow])
      expect(shareOf(play(scenario, 'peak-ewma', false))).toBeLessThan(0.2);
  });
});

describe('servers that flap', () => {
  it('cost the default policy few requests', () => {
    const result = simulate({ ...flapping, durationMs: 10_000 });
    // 3 of 50 fail for 2 of 5 s: whoever does not look loses 2.4 %.
    expect(result.errorPercent).toBeLessThan(0.5);
    expect(result.leakedCount).toBe(0);
  });
});
