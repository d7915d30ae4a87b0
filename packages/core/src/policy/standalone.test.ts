import { describe, expect, it } from 'vitest';
import { ConfigError } from '../error/config-error.ts';
import { Outcome, RESPONDED } from '../model/outcome.ts';
import { NO_SLOT } from '../model/pick-context.ts';
import { ManualClock } from '../testing/manual-runtime.ts';
import { definePolicy, type Policy } from './policy.ts';
import { createPolicy } from './standalone.ts';

/** Writes down what a balancer is told. */
function recorder(): { policy: Policy; calls: unknown[][] } {
  const calls: unknown[][] = [];
  const policy = definePolicy({
    name: 'recorder',
    keyed: false,
    create: () => ({
      update: ({ version, slots, weights, endpoints }) => {
        const ids = endpoints.map(({ id }) => id);
        calls.push(['update', version, [...slots], [...weights], ids]);
        return {
          pick: (_context, nowMs) => {
            calls.push(['pick', nowMs]);
            return slots[0] ?? NO_SLOT;
          },
          explain: () => [],
        };
      },
      onStart: (...args) => void calls.push(['start', ...args]),
      onResponse: (...args) => void calls.push(['respond', ...args]),
      onFinish: (...args) => void calls.push(['finish', ...args]),
      onPushback: (...args) => void calls.push(['pushback', ...args]),
      close: () => void calls.push(['close']),
    }),
  });
  return { policy, calls };
}

describe('createPolicy', () => {
  it('names an unknown policy and those that there are', () => {
    expect(() => createPolicy('fastest', { endpoints: [] })).toThrow(ConfigError);
    expect(() => createPolicy('fastest', { endpoints: [] })).toThrow(
      /^policy: expected one of .*peak-ewma, .*, got "fastest"$/,
    );
  });

  it('names a wrong endpoint by its place', () => {
    expect(() => createPolicy('random', { endpoints: ['10.0.0.1:80', '10.0.0.2'] })).toThrow(
      /^endpoints\[1\]/,
    );
  });

  it('works on the real clock and a seed of its own when it is given neither', () => {
    const policy = createPolicy('peak-ewma', { endpoints: ['10.0.0.1:80', '10.0.0.2:80'] });
    const slot = policy.pick();
    policy.start(slot);
    policy.respond(slot, 1);
    policy.finish(slot, Outcome.success, RESPONDED);
    expect(policy.endpoint(slot)?.address.kind).toBe('ip');
    expect(policy.load.finishedCount(slot, Outcome.success)).toBe(1);
    policy.close();
  });

  it('prefers a policy of the user to a built-in one of the same name', () => {
    const first = definePolicy({
      name: 'random',
      keyed: true,
      create: () => ({ update: () => ({ pick: () => 1, explain: () => [] }) }),
    });
    const policy = createPolicy('random', { endpoints: ['a:1', 'b:1', 'c:1'], policies: [first] });
    expect([policy.pick(), policy.keyed]).toEqual([1, true]);
  });
});

describe('StandalonePolicy', () => {
  const ENDPOINTS = ['a:1', 'b:1', 'c:1'];

  it('reads the clock for every event, unless it is given the time', () => {
    const { policy, calls } = recorder();
    const clock = new ManualClock(5);
    const driven = createPolicy('recorder', { endpoints: ['a:1'], policies: [policy], clock });
    calls.length = 0;
    driven.pick();
    driven.start(0);
    clock.set(9);
    driven.respond(0, 4);
    driven.finish(0, Outcome.success, RESPONDED);
    driven.pushback(0, 50);
    driven.pick({}, 100);
    driven.start(0, 101);
    driven.finish(0, Outcome.reset, 2, 103);
    expect(calls).toEqual([
      ['pick', 5],
      ['start', 0, 5],
      ['respond', 0, 4, 9],
      ['finish', 0, Outcome.success, RESPONDED, 9],
      ['pushback', 0, 50, 9],
      ['pick', 100],
      ['start', 0, 101],
      ['finish', 0, Outcome.reset, 2, 103],
    ]);
  });

  it('hands members over by ascending slot, without those of weight 0', () => {
    const { policy, calls } = recorder();
    const driven = createPolicy('recorder', { endpoints: ENDPOINTS, policies: [policy] });
    driven.update([{ address: 'c:1', weight: 7 }, 'd:1', { address: 'a:1', weight: 0 }]);
    expect(calls).toEqual([
      ['update', 1, [0, 1, 2], [1, 1, 1], ENDPOINTS],
      // b's slot is free, and goes to d.
      ['update', 2, [1, 2], [1, 7], ['d:1', 'c:1']],
    ]);
  });

  it('keeps slots and counts of endpoints that stay', () => {
    const policy = createPolicy('random', { endpoints: ENDPOINTS });
    const slot = policy.slotOf('c:1');
    policy.start(slot, 0);
    policy.update(['d:1', 'c:1', 'e:1', 'f:1']);
    expect(policy.slotOf('c:1')).toBe(slot);
    expect(policy.load.active[slot]).toBe(1);
    expect(policy.slotOf('a:1')).toBe(NO_SLOT);
  });

  it('gives a slot to another endpoint only when its last request has ended', () => {
    const policy = createPolicy('random', { endpoints: ['a:1'] });
    policy.start(0, 0);
    policy.update(['b:1']);
    expect([policy.slotOf('a:1'), policy.slotOf('b:1')]).toEqual([0, 1]);
    expect(policy.endpoint(0)?.id).toBe('a:1');
    policy.finish(0, Outcome.success, 1, 1);
    expect([policy.slotOf('a:1'), policy.endpoint(0)]).toEqual([NO_SLOT, undefined]);
    policy.update(['b:1', 'c:1']);
    expect(policy.slotOf('c:1')).toBe(0);
    expect(policy.load.startedCount(0)).toBe(0);
  });

  it('takes an endpoint back that had not quite left', () => {
    const policy = createPolicy('random', { endpoints: ['a:1', 'b:1'] });
    policy.start(0, 0);
    policy.update(['b:1']);
    policy.update(['b:1', 'a:1']);
    expect(policy.slotOf('a:1')).toBe(0);
    policy.finish(0, Outcome.success, 1, 1);
    expect(policy.endpoint(0)?.id).toBe('a:1');
  });

  it('ignores ends without a start', () => {
    const policy = createPolicy('least-request', { endpoints: ['a:1'] });
    policy.finish(0, Outcome.success, 1, 0);
    policy.finish(NO_SLOT, Outcome.success, 1, 0);
    policy.finish(99, Outcome.success, 1, 0);
    expect(policy.load.active[0]).toBe(0);
    expect(policy.load.startedCount(0)).toBe(0);
  });

  it('changes nothing when an update is wrong', () => {
    const policy = createPolicy('round-robin', { endpoints: ENDPOINTS });
    expect(() => policy.update(['d:1', 'd'])).toThrow(ConfigError);
    expect(() => policy.update(Array.from({ length: 65_537 }, (_, n) => `h${n}:1`))).toThrow(
      'endpoints: expected at most 65536 endpoints, got 65537',
    );
    expect(ENDPOINTS.map((id) => policy.slotOf(id))).toEqual([0, 1, 2]);
    expect([0, 1, 2]).toContain(policy.pick());
  });
});
