import { describe, expect, it } from 'vitest';
import type { EndpointFields } from '../../model/endpoint.ts';
import { Outcome, RESPONDED } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';

const TAU_MS = 10_000;

function peakEwma(
  endpoints: readonly (string | EndpointFields)[] = ['a:1', 'b:1'],
  options: Readonly<Record<string, unknown>> = {},
): StandalonePolicy {
  return createPolicy({ name: 'peak-ewma', ...options }, { endpoints, random: new XorShift128(5) });
}

/** One request from start to end. */
function request(policy: StandalonePolicy, slot: number, end: RequestEnd): void {
  const { startMs, latencyMs, outcome = Outcome.success } = end;
  policy.start(slot, startMs);
  policy.finish(slot, outcome, latencyMs, startMs + latencyMs);
}

interface RequestEnd {
  readonly startMs: number;
  readonly latencyMs: number;
  readonly outcome?: Outcome;
}

function costOf(policy: StandalonePolicy, slot: number, nowMs: number): number {
  const candidate = policy.explain({}, nowMs).find((each) => each.slot === slot);
  return candidate?.score ?? Number.NaN;
}

function reasonOf(policy: StandalonePolicy, slot: number, nowMs: number): string | undefined {
  return policy.explain({}, nowMs).find((each) => each.slot === slot)?.reason;
}

/** Share of slot 0 in picks that are not started. */
function shareOfFirst(policy: StandalonePolicy, nowMs: number, picks = 1_000): number {
  let count = 0;
  for (let pick = 0; pick < picks; pick++) if (policy.pick({}, nowMs) === 0) count++;
  return count / picks;
}

describe('latency in peak EWMA', () => {
  it('goes up at once and down with the time constant', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 100 });
    expect(costOf(policy, 0, 100)).toBeCloseTo(100, 6);
    request(policy, 0, { startMs: 100, latencyMs: 400 });
    expect(costOf(policy, 0, 500)).toBeCloseTo(400, 6);
    request(policy, 0, { startMs: 1_000, latencyMs: 50 });
    const keep = Math.exp(-550 / TAU_MS);
    // The scale of the decay moves in steps of 1/1024 of the time constant.
    expect(costOf(policy, 0, 1_050) / (400 * keep + 50 * (1 - keep))).toBeCloseTo(1, 2);
  });

  it('is forgiven with time when nothing new is heard', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 400 });
    expect(costOf(policy, 0, 400 + TAU_MS) / (400 / Math.E)).toBeCloseTo(1, 2);
  });

  it('is that of the first byte, not of the end', () => {
    const policy = peakEwma();
    policy.start(0, 0);
    policy.respond(0, 20, 20);
    policy.finish(0, Outcome.success, RESPONDED, 5_000);
    // 4.98 s after the first byte, and not the 5 s that the body took.
    expect(costOf(policy, 0, 5_000) / (20 * Math.exp(-4_980 / TAU_MS))).toBeCloseTo(1, 2);
  });

  it('counts a request in flight as one more to wait for', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 30 });
    for (const inFlight of [1, 2, 3]) {
      policy.start(0, 30);
      expect(costOf(policy, 0, 30)).toBeCloseTo(30 * (inFlight + 1), 6);
    }
    // Answered, but still sending its body: no longer waited for, still in flight.
    policy.respond(0, 30, 30);
    expect(costOf(policy, 0, 30)).toBeCloseTo(30 * 4, 6);
  });

  it('takes the faster of two', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 10 });
    request(policy, 1, { startMs: 0, latencyMs: 11 });
    expect(shareOfFirst(policy, 11)).toBe(1);
  });
});

describe('endpoints that peak EWMA has not measured', () => {
  it('count as the default before anyone has answered', () => {
    expect(costOf(peakEwma(), 0, 0)).toBe(30);
    expect(costOf(peakEwma(['a:1'], { defaultRttMs: 7 }), 0, 0)).toBe(7);
    expect(reasonOf(peakEwma(), 0, 0)).toBe('0 in flight, 30.0 ms assumed');
  });

  it('count as the average of all answers after that: neither flooded nor starved', () => {
    const policy = peakEwma(['a:1', 'b:1', 'c:1']);
    for (const latencyMs of [80, 100, 120]) request(policy, 0, { startMs: 0, latencyMs });
    expect(costOf(policy, 2, 120)).toBeCloseTo(100, 6);
    const shares = policy.explain({}, 120).map(({ slot, shareRatio }) => [slot, shareRatio]);
    // b and c tie at 100 before a's peak of 120: of the 3 pairs each wins 1 1/2.
    expect(shares).toEqual([
      [1, 0.5],
      [2, 0.5],
      [0, 0],
    ]);
  });

  it('count as the mean of what the others count as, not of their answers: their averages lie above those', () => {
    const policy = peakEwma(['a:1', 'b:1', 'c:1']);
    // One slow answer in eight: the average of 30 ms stands at about 100 most of the time.
    for (let nth = 0; nth < 640; nth++)
      request(policy, nth % 2, { startMs: nth * 10, latencyMs: nth % 8 < 2 ? 100 : 30 / 1.5 });
    const others = [0, 1].map((slot) => costOf(policy, slot, 6_500));
    expect(costOf(policy, 2, 6_500)).toBeGreaterThan(0.9 * Math.min(...others));
    expect(costOf(policy, 2, 6_500)).toBeLessThan(1.1 * Math.max(...others));
  });

  it('do not look better than the others after one quick answer', () => {
    const policy = peakEwma(['a:1', 'b:1']);
    request(policy, 0, { startMs: 0, latencyMs: 100 });
    request(policy, 1, { startMs: 0, latencyMs: 5 });
    expect(costOf(policy, 1, 100)).toBeCloseTo(100, 6);
    // A slow one counts at once.
    const slow = peakEwma(['a:1', 'b:1']);
    request(slow, 0, { startMs: 0, latencyMs: 100 });
    request(slow, 1, { startMs: 0, latencyMs: 300 });
    expect(costOf(slow, 1, 300)).toBeCloseTo(300, 6);
  });

  it('are so again when their slot goes to another', () => {
    const policy = peakEwma(['a:1', 'b:1']);
    request(policy, 0, { startMs: 0, latencyMs: 900, outcome: Outcome.timeout });
    policy.pushback(0, 60_000, 900);
    policy.update(['c:1', 'b:1']);
    expect(policy.slotOf('c:1')).toBe(0);
    expect(reasonOf(policy, 0, 900)).toContain('assumed');
  });
});

describe('failures in peak EWMA', () => {
  const FAILURES = [
    Outcome.serverError,
    Outcome.gatewayError,
    Outcome.connectFailure,
    Outcome.reset,
    Outcome.timeout,
  ];

  it.each(FAILURES)('of outcome %i raise the price by 1 / rate^3', (outcome) => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 30 });
    request(policy, 0, { startMs: 30, latencyMs: 1, outcome });
    // 30 % of the success rate are gone.
    expect(costOf(policy, 0, 31) / (30 / 0.7 ** 3)).toBeCloseTo(1, 2);
    request(policy, 0, { startMs: 31, latencyMs: 1, outcome });
    expect(costOf(policy, 0, 32) / (30 / 0.7 ** 6)).toBeCloseTo(1, 2);
  });

  it('never make an endpoint look fast', () => {
    const policy = peakEwma();
    for (let round = 0; round < 5; round++) request(policy, 1, { startMs: 0, latencyMs: 80 });
    request(policy, 0, { startMs: 80, latencyMs: 0.5, outcome: Outcome.serverError });
    expect(costOf(policy, 0, 81)).toBeGreaterThan(80);
  });

  it('count with their time if they were slow', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 1_000, outcome: Outcome.timeout });
    expect(costOf(policy, 0, 1_000) / (1_000 / 0.7 ** 3)).toBeCloseTo(1, 2);
  });

  it('stop at a thousand times the latency, and fade when successes follow', () => {
    const policy = peakEwma();
    for (let round = 0; round < 50; round++) {
      request(policy, 0, { startMs: 0, latencyMs: 30, outcome: Outcome.reset });
    }
    expect(costOf(policy, 0, 30)).toBeCloseTo(30 * 1_000, 6);
    for (let round = 0; round < 30; round++) request(policy, 0, { startMs: 0, latencyMs: 30 });
    // Each success leaves 0.9 of what is missing: 0.9 * 0.9^30 = 0.038 of the rate.
    expect(costOf(policy, 0, 30)).toBeCloseTo(30 / (1 - 0.9 ** 31) ** 3, 1);
  });

  it('are said in the explanation', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 30, outcome: Outcome.serverError });
    expect(reasonOf(policy, 0, 30)).toBe('0 in flight, 30.0 ms average, success rate 0.70');
  });

  it('do not include requests that were cancelled', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 30 });
    const before = costOf(policy, 0, 30);
    request(policy, 0, { startMs: 0, latencyMs: 30, outcome: Outcome.cancelled });
    policy.start(0, 0);
    policy.respond(0, 30, 30);
    policy.finish(0, Outcome.cancelled, RESPONDED, 30);
    expect(costOf(policy, 0, 30)).toBe(before);
  });

  it('of a body after a good first byte count too', () => {
    const policy = peakEwma();
    policy.start(0, 0);
    policy.respond(0, 30, 30);
    policy.finish(0, Outcome.reset, RESPONDED, 500);
    expect(costOf(policy, 0, 500) / (30 / 0.7 ** 3)).toBeCloseTo(1, 1);
  });
});

describe('the worked example of the documentation', () => {
  it('comes out as written', () => {
    const policy = peakEwma();
    for (const slot of [0, 1]) request(policy, slot, { startMs: -40, latencyMs: 40 });
    for (let inFlight = 0; inFlight < 3; inFlight++) policy.start(0, 0);
    const costOfB = (nowMs: number): number => Math.round(costOf(policy, 1, nowMs));
    const failure = { startMs: 0, latencyMs: 0, outcome: Outcome.serverError };
    expect([costOfB(0), Math.round(costOf(policy, 0, 0))]).toEqual([40, 160]);
    request(policy, 1, failure);
    expect(costOfB(0)).toBe(117);
    request(policy, 1, failure);
    expect(costOfB(0)).toBe(340);
    expect(costOfB(5_000)).toBe(206);
    expect(costOfB(10_000)).toBe(125);
    request(policy, 1, { startMs: 9_960, latencyMs: 40 });
    expect(costOfB(10_000)).toBe(70);
  });
});

describe('endpoints that ask to be left alone', () => {
  it('are, until the time is over', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 10 });
    request(policy, 1, { startMs: 0, latencyMs: 500 });
    policy.pushback(0, 2_000, 500);
    expect(shareOfFirst(policy, 500)).toBe(0);
    expect(shareOfFirst(policy, 2_499)).toBe(0);
    expect(shareOfFirst(policy, 2_500)).toBe(1);
    expect(reasonOf(policy, 0, 1_000)).toBe('asked to be left alone for 1.5 s more');
  });

  it('are for a second after an "overloaded" without a time', () => {
    const policy = peakEwma();
    request(policy, 0, { startMs: 0, latencyMs: 1, outcome: Outcome.overloaded });
    for (let round = 0; round < 9; round++) request(policy, 1, { startMs: 0, latencyMs: 900 });
    expect(reasonOf(policy, 0, 900)).toContain('left alone');
    expect(reasonOf(policy, 0, 1_001)).not.toContain('left alone');
  });

  it('keep the longer of two times, and none beyond the limit', () => {
    const policy = peakEwma(undefined, { maxHoldMs: 10_000 });
    policy.pushback(0, 1e9, 0);
    policy.pushback(0, 50, 0);
    policy.pushback(1, -5, 0);
    expect(reasonOf(policy, 0, 0)).toBe('asked to be left alone for 10.0 s more');
    expect(reasonOf(policy, 1, 0)).toContain('assumed');
  });

  it('are picked all the same when no one else may be', () => {
    const policy = peakEwma(['a:1', 'b:1', 'c:1', 'd:1', 'e:1']);
    for (const slot of [0, 1, 2, 3, 4]) policy.pushback(slot, 1_000, 0);
    expect(policy.pick({}, 0)).toBeGreaterThanOrEqual(0);
    policy.update(['a:1', 'b:1', 'c:1', 'd:1', 'e:1', 'f:1']);
    expect(policy.pick({}, 0)).toBe(5);
    expect(policy.pick({ exclude: [5] }, 0)).toBeLessThan(5);
  });
});

describe('weights in peak EWMA', () => {
  it('make an endpoint carry more for the same cost', () => {
    const policy = peakEwma([
      { address: 'a:1', weight: 3 },
      { address: 'b:1', weight: 1 },
    ]);
    for (const slot of [0, 1]) request(policy, slot, { startMs: 0, latencyMs: 30 });
    for (const slot of [0, 1]) policy.start(slot, 30);
    // The mean weight is 2: one request counts 2/3 on a and 2 on b.
    expect(costOf(policy, 0, 30)).toBeCloseTo(30 * (1 + 2 / 3), 6);
    expect(costOf(policy, 1, 30)).toBeCloseTo(30 * (1 + 2), 6);
  });

  it('decide the shares of endpoints that are equally good', () => {
    const policy = peakEwma([
      { address: 'a:1', weight: 90 },
      ...Array.from({ length: 10 }, (_, index) => ({ address: `h${index}:1`, weight: 1 })),
    ]);
    expect(shareOfFirst(policy, 0, 10_000)).toBeGreaterThan(0.88);
    expect(shareOfFirst(policy, 0, 10_000)).toBeLessThan(0.92);
  });
});

describe('options of peak EWMA', () => {
  it.each([
    [{ decayMs: 99 }, 'policy.decayMs: expected a duration from 100 ms to 600000 ms, got 99'],
    [{ defaultRttMs: 0 }, 'policy.defaultRttMs'],
    [{ probeIntervalMs: '3s' }, 'policy.probeIntervalMs'],
    [{ overloadHoldMs: -1 }, 'policy.overloadHoldMs'],
    [{ maxHoldMs: Number.POSITIVE_INFINITY }, 'policy.maxHoldMs'],
  ])('refuses %o', (options, message) => {
    expect(() => peakEwma(['a:1'], options)).toThrow(message);
  });
});
