import { describe, expect, it } from 'vitest';
import { Outcome, type OutcomeName } from '../../model/outcome.ts';
import { ConsecutiveFailures } from './consecutive-failures.ts';

const DEFAULTS = { failures: 5, gatewayFailures: 0, connectFailures: 3, localOriginFailures: 5 };

function create(limits: Partial<typeof DEFAULTS> & { split?: boolean } = {}): ConsecutiveFailures {
  const { split = false, ...rest } = limits;
  const rule = new ConsecutiveFailures({ ...DEFAULTS, ...rest }, split);
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
    expect(play(create({ failures: 0 }), times(5, 'reset'))).toEqual([4]);
    expect(play(create({ failures: 0, localOriginFailures: 0 }), times(99, 'reset'))).toEqual([]);
    expect(play(create({ connectFailures: 0 }), times(4, 'connectFailure'))).toEqual([]);
    expect(play(create({ connectFailures: 0 }), times(5, 'connectFailure'))).toEqual([4]);
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

  it('names the more special limit when several are reached at once', () => {
    const named = (rule: ConsecutiveFailures, name: OutcomeName): string => {
      while (!rule.record(0, Outcome[name])) continue;
      return rule.describe(0).detector;
    };
    const all = { failures: 3, gatewayFailures: 3, connectFailures: 3, localOriginFailures: 3 };
    expect(named(create(all), 'connectFailure')).toBe('connect-failures');
    expect(named(create(all), 'gatewayError')).toBe('gateway-failures');
    expect(named(create({ ...all, gatewayFailures: 0 }), 'reset')).toBe('consecutive-failures');
    expect(named(create(all), 'serverError')).toBe('consecutive-failures');
    expect(named(create({ ...all, failures: 0, gatewayFailures: 0 }), 'timeout')).toBe(
      'local-origin-failures',
    );
  });
});

describe('gateway failures', () => {
  const limits = { failures: 0, gatewayFailures: 3, localOriginFailures: 0, connectFailures: 0 };

  it.each<{ name: string; outcomes: OutcomeName[]; split?: boolean; standsOutAt: number[] }>([
    { name: 'three in a row', outcomes: times(3, 'gatewayError'), standsOutAt: [2] },
    {
      name: "the endpoint's own error breaks the run",
      outcomes: ['gatewayError', 'gatewayError', 'serverError', 'gatewayError', 'gatewayError'],
      standsOutAt: [],
    },
    {
      name: 'local-origin failures belong to it',
      outcomes: ['gatewayError', 'timeout', 'reset'],
      standsOutAt: [2],
    },
    {
      name: 'when split they neither count nor break the run',
      outcomes: ['gatewayError', 'gatewayError', 'reset', 'timeout', 'gatewayError'],
      split: true,
      standsOutAt: [4],
    },
  ])('$name', ({ outcomes, split = false, standsOutAt }) => {
    expect(play(create({ ...limits, split }), outcomes)).toEqual(standsOutAt);
  });
});

describe('with local-origin failures split off', () => {
  it.each<{ name: string; outcomes: OutcomeName[]; standsOutAt: number[] }>([
    {
      name: 'each kind has its own run',
      outcomes: ['serverError', 'reset', 'serverError', 'reset', 'serverError', 'timeout'],
      standsOutAt: [],
    },
    {
      name: 'local-origin failures leave the run of bad answers standing',
      outcomes: [...times(4, 'serverError'), 'reset', 'serverError'],
      standsOutAt: [5],
    },
    {
      name: 'an answer, even a bad one, breaks the run of local-origin failures',
      outcomes: [...times(4, 'reset'), 'gatewayError', ...times(4, 'reset')],
      standsOutAt: [],
    },
    {
      name: 'as does one that asks for less',
      outcomes: [...times(4, 'timeout'), 'overloaded', 'timeout'],
      standsOutAt: [],
    },
    { name: 'five local-origin failures', outcomes: times(5, 'timeout'), standsOutAt: [4] },
    { name: 'five bad answers', outcomes: times(5, 'gatewayError'), standsOutAt: [4] },
  ])('$name', ({ outcomes, standsOutAt }) => {
    expect(play(create({ split: true }), outcomes)).toEqual(standsOutAt);
  });

  it('names them', () => {
    const rule = create({ split: true });
    play(rule, times(5, 'timeout'));
    expect(rule.describe(0)).toEqual({
      detector: 'local-origin-failures',
      reason: '5 local-origin failures in a row (last: timeout)',
    });
    expect(rule.consecutiveFailures(0)).toBe(5);
  });
});
