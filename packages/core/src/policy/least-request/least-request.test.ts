import { describe, expect, it } from 'vitest';
import type { EndpointFields } from '../../model/endpoint.ts';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';

function leastRequest(
  endpoints: readonly EndpointFields[],
  options: Readonly<Record<string, unknown>> = {},
): StandalonePolicy {
  return createPolicy(
    { name: 'least-request', ...options },
    { endpoints, random: new XorShift128(11) },
  );
}

function weighted(weights: readonly number[]): EndpointFields[] {
  return weights.map((weight, index) => ({ address: `h${index}:1`, weight }));
}

function equal(count: number): EndpointFields[] {
  return weighted(Array.from({ length: count }, () => 1));
}

/** Puts requests in flight on slots 0, 1, 2 ... */
function load(policy: StandalonePolicy, counts: readonly number[]): void {
  counts.forEach((count, slot) => {
    for (let request = 0; request < count; request++) policy.start(slot, 0);
  });
}

function shares(policy: StandalonePolicy, picks: number, nowMs = 0): number[] {
  const result = Array.from({ length: policy.explain({}, nowMs).length }, () => 0);
  for (let pick = 0; pick < picks; pick++) {
    const slot = policy.pick({}, nowMs);
    result[slot] = (result[slot] ?? 0) + 1;
  }
  return result.map((count) => count / picks);
}

describe('least request', () => {
  it('never takes the busiest, and the others by rank', () => {
    const policy = leastRequest(equal(4));
    load(policy, [3, 0, 9, 1]);
    // Two distinct draws of four: rank r wins 2 (3 - r) / 12 of them.
    const expected = [1 / 6, 3 / 6, 0, 2 / 6];
    shares(policy, 30_000).forEach((share, slot) =>
      expect(Math.abs(share - (expected[slot] ?? 0))).toBeLessThan(0.015),
    );
    expect(policy.explain({}, 0).map(({ slot, score }) => [slot, score])).toEqual([
      [1, 1],
      [3, 2],
      [0, 4],
      [2, 10],
    ]);
  });

  it('with two endpoints always takes the less busy one', () => {
    const policy = leastRequest(equal(2));
    load(policy, [1, 0]);
    expect(shares(policy, 500)).toEqual([0, 1]);
  });

  it('favours no one in a tie', () => {
    for (const options of [{}, { choiceCount: 5 }, { fullScan: true }]) {
      const policy = leastRequest(equal(8), options);
      load(policy, [1, 0, 0, 1, 0, 1, 1, 0]);
      const seen = shares(policy, 40_000);
      const idle = [1, 2, 4, 7].map((slot) => seen[slot] ?? 0);
      const busy = [0, 3, 5, 6].map((slot) => seen[slot] ?? 0);
      // 5 standard deviations of a share of 1/4 at 40,000 picks are 0.011.
      expect(Math.max(...idle) - Math.min(...idle)).toBeLessThan(0.02);
      expect(Math.max(...busy) - Math.min(...busy)).toBeLessThan(0.02);
    }
  });

  it('draws as many candidates as it is told', () => {
    const n = 10;
    for (const choiceCount of [2, 3, 5]) {
      const policy = leastRequest(equal(n), { choiceCount });
      load(policy, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
      // The idle one wins whenever it is drawn: in one of two distinct draws or one of the others.
      const missed = ((n - 2) / n) * ((n - 1) / n) ** (choiceCount - 2);
      expect(Math.abs((shares(policy, 20_000)[9] ?? 0) - (1 - missed))).toBeLessThan(0.018);
    }
  });

  it('by full scan, and with as many draws as endpoints, finds the least of all', () => {
    for (const options of [{ fullScan: true }, { choiceCount: 10 }]) {
      const policy = leastRequest(equal(10), options);
      load(policy, [5, 6, 7, 2, 9, 5, 6, 7, 8, 9]);
      expect(shares(policy, 100)[3]).toBeCloseTo(1);
      expect(policy.pick({ exclude: [3] }, 0)).toSatisfy((slot) => slot === 0 || slot === 5);
    }
  });

  it('keeps n balls in n bins flat: about ln ln n on top', () => {
    const n = 10_000;
    const policy = leastRequest(equal(n));
    for (let ball = 0; ball < n; ball++) policy.start(policy.pick({}, 0), 0);
    const most = Math.max(...policy.load.active);
    // Theory: ln ln n / ln 2 + O(1) = 3.2 + O(1). One random draw would leave 7 or 8.
    expect(most).toBeGreaterThanOrEqual(3);
    expect(most).toBeLessThanOrEqual(5);
  });
});

describe('least request with weights', () => {
  it.each([{ choiceCount: 2 }, { choiceCount: 4 }, { fullScan: true }])(
    'with $choiceCount $fullScan fills endpoints in proportion to their weights',
    (options) => {
      const weights = [100, ...Array.from({ length: 20 }, () => 5)];
      const policy = leastRequest(weighted(weights), options);
      const requests = 2_000;
      for (let request = 0; request < requests; request++) policy.start(policy.pick({}, 0), 0);
      weights.forEach((weight, slot) => {
        const fair = (requests * weight) / 200;
        expect(Math.abs((policy.load.active[slot] ?? 0) - fair)).toBeLessThan(0.1 * fair + 2);
      });
    },
  );

  it('compares by (active + 1)^bias / weight', () => {
    const policy = leastRequest(weighted([4, 1]), { bias: 2 });
    load(policy, [3, 1]);
    // (3 + 1)^2 / 4 = 4 and (1 + 1)^2 / 1 = 4.
    expect(policy.explain({}, 0).map(({ score }) => score)).toEqual([4, 4]);
  });

  it('lets load count for more with a larger bias', () => {
    // In flight settles where active^bias / weight is the same: in proportion to weight^(1 / bias).
    for (const { bias, heavyShare } of [
      { bias: 1, heavyShare: 16 / 17 },
      { bias: 2, heavyShare: 4 / 5 },
    ]) {
      const policy = leastRequest(weighted([16, 1]), { bias });
      for (let request = 0; request < 1_000; request++) policy.start(policy.pick({}, 0), 0);
      expect(Math.abs((policy.load.active[0] ?? 0) / 1_000 - heavyShare)).toBeLessThan(0.01);
    }
  });

  it('at bias 0 is random by weight, whatever the load', () => {
    const policy = leastRequest(weighted([3, 1]), { bias: 0 });
    load(policy, [500, 0]);
    expect(Math.abs((shares(policy, 10_000)[0] ?? 0) - 0.75)).toBeLessThan(0.025);
  });
});

describe('least request after failures', () => {
  it('counts a failed request on for a while', () => {
    const policy = leastRequest(equal(2));
    policy.start(0, 0);
    policy.finish(0, Outcome.serverError, 1, 0);
    expect(shares(policy, 100, 0)).toEqual([0, 1]);
    // exp(-t / 10 s) of a request rounds to none below one half: after 10 s * ln 2.
    expect(shares(policy, 100, 6_900)).toEqual([0, 1]);
    expect(shares(policy, 100, 6_960)[0]).toBeGreaterThan(0.2);
  });

  it('adds failures to what is in flight, and says so', () => {
    const policy = leastRequest(equal(2), { failurePenalty: 3 });
    policy.start(0, 0);
    policy.finish(0, Outcome.timeout, 1, 0);
    load(policy, [1, 2]);
    const [better, worse] = policy.explain({}, 0);
    expect([better?.slot, better?.reason]).toEqual([1, '2 in flight']);
    expect([worse?.slot, worse?.reason]).toEqual([0, '1 in flight and 3 for failures']);
  });

  it.each([Outcome.success, Outcome.cancelled])('does not mind outcome %i', (outcome) => {
    const policy = leastRequest(equal(2));
    policy.start(0, 0);
    policy.finish(0, outcome, 1, 0);
    expect(shares(policy, 100)[0]).toBeGreaterThan(0.2);
  });

  it('can be told to forget at once', () => {
    const policy = leastRequest(equal(2), { failurePenalty: 0 });
    policy.start(0, 0);
    policy.finish(0, Outcome.serverError, 1, 0);
    expect(shares(policy, 100)[0]).toBeGreaterThan(0.2);
  });
});

describe('options of least request', () => {
  it.each([
    [{ choiceCount: 1 }, 'policy.choiceCount: expected an integer from 2 to 10, got 1'],
    [{ choiceCount: 11 }, 'policy.choiceCount'],
    [{ bias: -1 }, 'policy.bias: expected a number from 0 to 10, got -1'],
    [{ fullScan: 'yes' }, 'policy.fullScan: expected true or false, got "yes"'],
    [{ failurePenalty: Number.NaN }, 'policy.failurePenalty'],
  ])('refuses %o', (options, message) => {
    expect(() => leastRequest(equal(1), options)).toThrow(message);
  });
});

describe('the failure penalty of least request', () => {
  /** Score of slot 0: requests in flight and penalty, and the request that is to be. */
  const penaltyAfter = (outcomes: readonly Outcome[], nowMs = 0): number => {
    const policy = leastRequest(equal(2), { failurePenalty: 10 });
    for (const outcome of outcomes) {
      policy.start(0, 0);
      policy.finish(0, outcome, 1, 0);
    }
    return (policy.explain({}, nowMs).find(({ slot }) => slot === 0)?.score ?? 0) - 1;
  };
  const { success, connectFailure, reset, timeout, serverError } = Outcome;

  it('fades with its time constant', () => {
    expect(penaltyAfter([serverError])).toBe(10);
    expect(penaltyAfter([serverError], 10_000)).toBe(Math.round(10 / Math.E));
    expect(penaltyAfter([serverError], 30_000)).toBe(0);
  });

  it('for connections that failed is taken back by successes: 30 percent each', () => {
    expect(penaltyAfter([connectFailure, success])).toBe(7);
    expect(penaltyAfter([reset, connectFailure, success, success])).toBe(Math.round(20 * 0.49));
    expect(penaltyAfter([connectFailure, ...Array.from({ length: 12 }, () => success)])).toBe(0);
  });

  it('for errors and timeouts is not: the next request may fail again', () => {
    for (const outcome of [timeout, serverError])
      expect(penaltyAfter([outcome, success, success])).toBe(10);
    expect(penaltyAfter([timeout, connectFailure, success])).toBe(10 + 7);
  });
});
