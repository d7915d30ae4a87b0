import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadTable } from '../../model/load-table.ts';
import { Outcome } from '../../model/outcome.ts';
import { XorShift128 } from '../../runtime/random.ts';
import { createPolicy, type StandalonePolicy } from '../standalone.ts';
import { peakEwmaSchema } from './config.ts';
import { EndpointState } from './endpoint-state.ts';

/** Two endpoints that answered in 30 ms; the first is slot 0. */
function measured(endpoints: readonly string[] = ['a:1', 'b:1']): StandalonePolicy {
  const policy = createPolicy('peak-ewma', { endpoints, random: new XorShift128(5) });
  endpoints.forEach((_, slot) => {
    policy.start(slot, 0);
    policy.finish(slot, Outcome.success, 30, 30);
  });
  return policy;
}

function costOf(policy: StandalonePolicy, slot: number, nowMs: number): number {
  return policy.explain({}, nowMs).find((each) => each.slot === slot)?.score ?? Number.NaN;
}

describe('endpoints that owe an answer', () => {
  it('cost as long as they have owed it', () => {
    const policy = measured();
    policy.start(0, 100);
    expect(costOf(policy, 0, 110)).toBeLessThan(60);
    expect(costOf(policy, 0, 900)).toBe(800 * 2);
    expect(policy.explain({}, 900)[1]?.reason).toContain('no answer for 800 ms');
    expect(policy.pick({}, 900)).toBe(1);
  });

  it('owe since the first of many requests, and nothing once all are answered', () => {
    const policy = measured();
    for (const startMs of [100, 200, 300]) policy.start(0, startMs);
    expect(costOf(policy, 0, 1_100)).toBe(1_000 * 4);
    for (const startMs of [100, 200, 300])
      policy.finish(0, Outcome.cancelled, 1_100 - startMs, 1_100);
    expect(costOf(policy, 0, 1_100)).toBeLessThan(30);
  });

  it('are not hung while they answer others: a long poll does not count', () => {
    const policy = measured();
    policy.start(0, 0);
    for (let nowMs = 100; nowMs < 60_000; nowMs += 100) {
      policy.start(0, nowMs);
      policy.finish(0, Outcome.success, 30, nowMs + 30);
    }
    // In flight counts it, its age does not: the last answer was 70 ms ago.
    expect(costOf(policy, 0, 60_000)).toBeLessThan(70 * 2 + 1);
  });

  it('have answered when the answer is an error, but not when the client gave up', () => {
    for (const [outcome, answered] of [
      [Outcome.serverError, true],
      [Outcome.overloaded, true],
      [Outcome.timeout, false],
      [Outcome.reset, false],
      [Outcome.cancelled, false],
    ] as const) {
      const policy = measured();
      policy.start(0, 0);
      policy.start(0, 0);
      policy.finish(0, outcome, 5_000, 5_000);
      const text = policy.explain({}, 60_000).find(({ slot }) => slot === 0)?.reason;
      const held = text?.includes('left alone') === true;
      if (!held) expect(text).toContain(`no answer for ${answered ? 55_000 : 60_000} ms`);
    }
  });

  it('are picked again once nothing is owed and time has passed', () => {
    const policy = measured();
    for (let hung = 0; hung < 20; hung++) policy.start(0, 100);
    for (let hung = 0; hung < 20; hung++) policy.finish(0, Outcome.timeout, 1_000, 1_100);
    expect(policy.pick({}, 1_100)).toBe(1);
    let nowMs = 1_100;
    for (; nowMs < 200_000 && policy.pick({}, nowMs) === 1; nowMs += 50) {
      policy.start(1, nowMs);
      policy.finish(1, Outcome.success, 30, nowMs + 30);
    }
    // Its price is 1000 ms / 0.1^3 at most and fades; a trial comes long before that.
    expect(nowMs).toBeLessThan(1_100 + 90_000);
  });
});

describe('trials of endpoints that lose every comparison', () => {
  /** Slot 0 is 10 times as slow; picks come every `everyMs`, all quick. Returns when it was picked. */
  function trialsOf(policy: StandalonePolicy, everyMs: number, untilMs: number): number[] {
    policy.start(0, 30);
    policy.finish(0, Outcome.success, 300, 330);
    const trials: number[] = [];
    for (let nowMs = 340; nowMs < untilMs; nowMs += everyMs) {
      const slot = policy.pick({}, nowMs);
      policy.start(slot, nowMs);
      policy.finish(slot, Outcome.success, slot === 0 ? 300 : 30, nowMs + 30);
      if (slot === 0) trials.push(nowMs);
    }
    return trials;
  }

  it('come after the interval, the later the slower they were', () => {
    const trials = trialsOf(measured(['a:1', 'b:1', 'c:1']), 1, 12_000);
    // 3 s times a slowness of 10 that itself fades: t = 3 s * 10 * exp(-t / 10 s) gives t = 10.5 s. By then its cost
    // has fallen to 300 * exp(-1.05) = 105 ms, still three times that of the others.
    expect(trials[0]).toBeGreaterThan(8_000);
    expect(trials[0]).toBeLessThan(12_000);
  });

  it('are at most one pick in 64', () => {
    const policy = createPolicy(
      { name: 'peak-ewma', probeIntervalMs: 100 },
      { endpoints: ['a:1', 'b:1', 'c:1', 'd:1'], random: new XorShift128(5) },
    );
    for (const slot of [0, 1, 2, 3]) {
      policy.start(slot, 0);
      policy.finish(slot, Outcome.success, 30, 30);
    }
    // A pick every 50 ms: a is due nearly always, and its turn comes once in 4 * 64 picks.
    const trials = trialsOf(policy, 50, 20_000);
    expect(trials.length).toBeLessThanOrEqual(Math.ceil(20_000 / 50 / 64 / 4));
  });

  it('do not go to endpoints that asked to be left alone, or that already owe an answer', () => {
    for (const prepare of [
      (policy: StandalonePolicy) => policy.pushback(0, 100_000, 0),
      (policy: StandalonePolicy) => policy.start(0, 0),
    ]) {
      const policy = measured(['a:1', 'b:1', 'c:1']);
      prepare(policy);
      for (let nowMs = 31; nowMs < 20_000; nowMs += 1) {
        const slot = policy.pick({}, nowMs);
        expect(slot).not.toBe(0);
        policy.start(slot, nowMs);
        policy.finish(slot, Outcome.success, 30, nowMs);
      }
    }
  });
});

describe('EndpointState', () => {
  const config = peakEwmaSchema.parse({});

  it('counts waiting requests exactly, never below 0', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
        const state = new EndpointState(new LoadTable(), config);
        let waiting = 0;
        steps.forEach((starts, nowMs) => {
          if (starts) state.startWaiting(0, nowMs);
          else state.stopWaiting(0, nowMs % 2 === 0, nowMs);
          waiting = Math.max(0, waiting + (starts ? 1 : -1));
          expect(state.waitingCount(0)).toBe(waiting);
          expect(state.owingSinceMs.values[0] === Number.POSITIVE_INFINITY).toBe(waiting === 0);
        });
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('survives growth of the table while requests are in flight', () => {
    const load = new LoadTable({ capacity: 1 });
    const state = new EndpointState(load, config);
    state.decay.advance(0);
    state.startWaiting(0, 0);
    load.ensureCapacity(100);
    state.stopWaiting(0, true, 40);
    state.observeLatency(0, 40);
    expect(state.waitingCount(0)).toBe(0);
    expect(state.latencyMs(0, 0)).toBe(40);
    expect(state.owingSinceMs.values[99]).toBe(Number.POSITIVE_INFINITY);
  });

  it('keeps all values through the rescaling that comes with long times', () => {
    const state = new EndpointState(new LoadTable(), { ...config, decayMs: 100 });
    state.decay.advance(0);
    state.observeLatency(0, 50);
    state.observeFailure(0, 0);
    // 255 time constants on, one before the limit, and a little later beyond it.
    state.decay.advance(25_500);
    state.observeLatency(0, 50);
    const before = [state.latencyMs(0, 25_500), state.successRatio(0, 25_500)];
    state.decay.advance(25_700);
    const after = [state.latencyMs(0, 25_700), state.successRatio(0, 25_700)];
    expect(state.decay.scale).toBe(1);
    expect(after[0]! / (before[0]! * Math.exp(-2))).toBeCloseTo(1, 2);
    expect(after[1]).toBeCloseTo(1, 9);
  });
});
