import { describe, expect, it } from 'vitest';
import {
  isFailure,
  isLocalOrigin,
  Outcome,
  OUTCOME_COUNT,
  OUTCOME_NAMES,
  outcomeOfStatus,
} from './outcome.ts';

describe('outcomes', () => {
  it.each([
    [200, false, 'success'],
    [101, false, 'success'],
    [404, false, 'success'],
    [429, false, 'overloaded'],
    [500, false, 'serverError'],
    [501, true, 'serverError'],
    [502, false, 'gatewayError'],
    [503, false, 'gatewayError'],
    [503, true, 'overloaded'],
    [504, false, 'gatewayError'],
    [599, false, 'serverError'],
  ] as const)('status %i (Retry-After: %s) is %s', (status, hasRetryAfter, name) => {
    expect(outcomeOfStatus(status, hasRetryAfter)).toBe(Outcome[name]);
  });

  it('are numbered without holes, as the counters of the load table need', () => {
    expect(OUTCOME_NAMES.map((name) => Outcome[name])).toEqual(
      Array.from({ length: OUTCOME_COUNT }, (_, i) => i),
    );
  });

  it('speak against the endpoint, except success and cancellation', () => {
    expect(OUTCOME_NAMES.filter((name) => !isFailure(Outcome[name]))).toEqual([
      'success',
      'cancelled',
    ]);
    expect(OUTCOME_NAMES.filter((name) => isLocalOrigin(Outcome[name]))).toEqual([
      'connectFailure',
      'reset',
      'timeout',
    ]);
  });
});
