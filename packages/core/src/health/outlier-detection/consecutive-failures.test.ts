import { describe, expect, it } from 'vitest';
import { Outcome, type OutcomeName } from '../../model/outcome.ts';
import { ConsecutiveFailures } from './consecutive-failures.ts';

function create(limits: { failures?: number; connect?: number } = {}): ConsecutiveFailures {
  const rule = new ConsecutiveFailures({
    consecutiveFailures: limits.failures ?? 5,
    consecutiveConnectFailures: limits.connect ?? 3,
  });
  rule.ensureCapacity(4);
  return rule;
}

/** Records outcomes by name; returns after which of them the slot stood out. */
function play(rule: ConsecutiveFailures, names: readonly OutcomeName[], slot = 0): number[] {
  return names.flatMap((name, index) => (rule.record(slot, Outcome[name]) ? [index] : []));
}

const times = (count: number, name: OutcomeName): OutcomeName[] => new Array(count).fill(name);

describe('ConsecutiveFailures', () => {
  it.each<{ name: string; outcomes: OutcomeName[]; standsOutAt: number[] }>([
    { name: 'five failures in a row', outcomes: times(5, 'serverError'), standsOutAt: [4] },
    {
      name: 'five failures of several kinds',
      outcomes: ['serverError', 'gatewayError', 'timeout', 'reset', 'serverError'],
      standsOutAt: [4],
    },
    {
      name: 'a success breaks the run',
      outcomes: [...times(4, 'serverError'), 'success', ...times(4, 'serverError')],
      standsOutAt: [],
    },
    {
      name: 'cancelled neither counts nor breaks the run',
      outcomes: [...times(4, 'serverError'), ...times(9, 'cancelled'), 'serverError'],
      standsOutAt: [13],
    },
    {
      name: 'overloaded neither counts nor breaks the run',
      outcomes: [...times(4, 'serverError'), ...times(9, 'overloaded'), 'serverError'],
      standsOutAt: [13],
    },
    { name: 'overloaded alone never ejects', outcomes: times(50, 'overloaded'), standsOutAt: [] },
    { name: 'three connection failures', outcomes: times(3, 'connectFailure'), standsOutAt: [2] },
    {
      name: 'an answer breaks the run of connection failures, not that of failures',
      outcomes: ['connectFailure', 'connectFailure', 'serverError', 'connectFailure', 'reset'],
      standsOutAt: [4],
    },
    {
      name: 'being told off breaks the run of connection failures',
      outcomes: ['connectFailure', 'connectFailure', 'overloaded', 'connectFailure'],
      standsOutAt: [],
    },
    {
      name: 'a timeout may have come before the connection: it breaks nothing',
      outcomes: ['connectFailure', 'connectFailure', 'timeout', 'connectFailure'],
      standsOutAt: [3],
    },
  ])('$name', ({ outcomes, standsOutAt }) => {
    expect(play(create(), outcomes)).toEqual(standsOutAt);
  });

  it('is switched off by 0, each limit for itself', () => {
    expect(play(create({ failures: 0 }), times(100, 'serverError'))).toEqual([]);
    expect(play(create({ failures: 0 }), times(3, 'connectFailure'))).toEqual([2]);
    expect(play(create({ connect: 0 }), times(4, 'connectFailure'))).toEqual([]);
    expect(play(create({ connect: 0 }), times(5, 'connectFailure'))).toEqual([4]);
  });

  it('counts every slot for itself, also after growing', () => {
    const rule = create();
    play(rule, times(4, 'reset'), 3);
    rule.ensureCapacity(5000);
    expect(rule.consecutiveFailures(3)).toBe(4);
    expect(rule.consecutiveFailures(2)).toBe(0);
    expect(play(rule, times(1, 'reset'), 2)).toEqual([]);
    expect(play(rule, times(1, 'reset'), 3)).toEqual([0]);
  });

  it('starts over after a reset', () => {
    const rule = create();
    play(rule, times(4, 'reset'));
    rule.reset(0);
    expect(rule.consecutiveFailures(0)).toBe(0);
    expect(play(rule, times(5, 'reset'))).toEqual([4]);
  });

  it('says which limit was reached and by what', () => {
    const rule = create();
    play(rule, [...times(4, 'serverError'), 'gatewayError']);
    expect(rule.describe(0)).toEqual({
      detector: 'consecutive-failures',
      reason: '5 failures in a row (last: gatewayError)',
    });
    play(rule, times(3, 'connectFailure'), 1);
    expect(rule.describe(1)).toEqual({
      detector: 'connect-failures',
      reason: '3 connection failures in a row',
    });
  });
});
