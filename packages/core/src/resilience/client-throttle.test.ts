import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { XorShift128 } from '../runtime/random.ts';
import { ClientThrottle, type ClientThrottleOptions, isAccepted } from './client-throttle.ts';

/** A source of random numbers that must not be asked. */
const NO_RANDOM = {
  nextInt32: (): number => {
    throw new Error('drawn');
  },
};

function createThrottle(options: ClientThrottleOptions = {}): ClientThrottle {
  return new ClientThrottle(options, { random: new XorShift128(1) });
}

function finish(throttle: ClientThrottle, outcome: Outcome, count: number, nowMs = 0): void {
  for (let index = 0; index < count; index++) throttle.finish(outcome, nowMs);
}

describe('the probability of a refusal', () => {
  it('is (requests - K * accepts) / (requests + 1)', () => {
    const throttle = createThrottle({ acceptMultiplier: 2 });
    finish(throttle, Outcome.success, 30);
    finish(throttle, Outcome.overloaded, 70);
    expect(throttle.rejectRatio(0)).toBeCloseTo((100 - 2 * 30) / 101, 12);
  });

  it('is 0 up to the share 1 - 1 / K of refused requests, without drawing a random number', () => {
    const throttle = new ClientThrottle({}, { random: NO_RANDOM });
    finish(throttle, Outcome.success, 50);
    finish(throttle, Outcome.overloaded, 50);
    expect(throttle.rejectRatio(0)).toBe(0);
    expect(throttle.tryAcquire(0)).toBe(true);
  });

  it('has an upper limit', () => {
    const throttle = createThrottle({ maxRejectRatio: 0.6 });
    finish(throttle, Outcome.timeout, 100);
    expect(throttle.rejectRatio(0)).toBe(0.6);
    const unlimited = createThrottle({ maxRejectRatio: 1 });
    finish(unlimited, Outcome.timeout, 100);
    expect(unlimited.rejectRatio(0)).toBeCloseTo(100 / 101, 12);
  });

  it('is 0 below the least rate', () => {
    const throttle = createThrottle({ minRequestsPerSecond: 5 });
    // In 10 s 50 are the least.
    finish(throttle, Outcome.overloaded, 49, 0);
    expect(throttle.rejectRatio(10_000)).toBe(0);
    throttle.finish(Outcome.overloaded, 10_000);
    expect(throttle.rejectRatio(10_000)).toBeGreaterThan(0);
  });

  it('forgets what has left the window', () => {
    const throttle = createThrottle({ windowMs: 10_000 });
    finish(throttle, Outcome.overloaded, 1_000);
    expect(throttle.rejectRatio(9_000)).toBe(0.75);
    expect(throttle.rejectRatio(10_001)).toBe(0);
  });

  it('counts what it refuses itself as a request that was not accepted', () => {
    const throttle = createThrottle();
    finish(throttle, Outcome.success, 20);
    finish(throttle, Outcome.overloaded, 80);
    const before = throttle.rejectRatio(0);
    while (throttle.tryAcquire(0));
    expect(throttle.rejectedCount).toBe(1);
    expect(throttle.rejectRatio(0)).toBeCloseTo((101 - 40) / 102, 12);
    expect(throttle.rejectRatio(0)).toBeGreaterThan(before);
  });

  it('does not count cancelled requests', () => {
    const throttle = createThrottle();
    finish(throttle, Outcome.overloaded, 100);
    const before = throttle.rejectRatio(0);
    finish(throttle, Outcome.cancelled, 1_000);
    expect(throttle.rejectRatio(0)).toBe(before);
  });
});

describe('isAccepted', () => {
  it.each<[string, Outcome, boolean]>([
    ['success', Outcome.success, true],
    // Work was done, if badly.
    ['serverError', Outcome.serverError, true],
    ['reset', Outcome.reset, true],
    ['gatewayError', Outcome.gatewayError, false],
    ['overloaded', Outcome.overloaded, false],
    ['connectFailure', Outcome.connectFailure, false],
    ['timeout', Outcome.timeout, false],
  ])('%s: %s', (_name, outcome, accepted) => {
    expect(isAccepted(outcome)).toBe(accepted);
  });
});

describe('options', () => {
  it.each([
    [
      { acceptMultiplier: 1 },
      'clientThrottle.acceptMultiplier: expected a number from 1.01 to 100, got 1',
    ],
    [{ maxRejectRatio: 2 }, 'clientThrottle.maxRejectRatio: expected a number from 0 to 1, got 2'],
    [{ k: 2 }, 'clientThrottle.k: expected no such option'],
  ])('refuses %j', (options, message) => {
    expect(() => createThrottle(options as ClientThrottleOptions)).toThrow(message);
  });
});
