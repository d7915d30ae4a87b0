import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { XorShift128 } from '../runtime/random.ts';
import { NEVER_RETRY } from './retry-after.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RetryPolicyOptions } from './retry-config.ts';
import { type FinishedTry, type RetryableRequest, RetryPolicy } from './retry-policy.ts';

const GET: RetryableRequest = { idempotent: true, replayable: true };
const BROKEN: FinishedTry = { outcome: Outcome.reset, sent: true };

function createPolicy(options: RetryPolicyOptions = {}, budget = new RetryBudget()): RetryPolicy {
  return new RetryPolicy(options, { random: new XorShift128(1), budget });
}

function verdictOn(
  finished: FinishedTry,
  request: RetryableRequest = GET,
  options: RetryPolicyOptions = {},
): string {
  return createPolicy(options).begin(request).consider(finished, 0);
}

describe('which failures are retried', () => {
  it.each<[FinishedTry, string]>([
    [{ outcome: Outcome.connectFailure, sent: false }, 'retry'],
    [{ outcome: Outcome.reset, sent: true }, 'retry'],
    [{ outcome: Outcome.timeout, sent: true }, 'retry'],
    [{ outcome: Outcome.cancelled, sent: true }, 'final'],
    [{ outcome: Outcome.success, sent: true, statusCode: 200 }, 'final'],
    [{ outcome: Outcome.success, sent: true, statusCode: 404 }, 'final'],
    [{ outcome: Outcome.overloaded, sent: true, statusCode: 429 }, 'retry'],
    [{ outcome: Outcome.serverError, sent: true, statusCode: 500 }, 'final'],
    [{ outcome: Outcome.gatewayError, sent: true, statusCode: 502 }, 'retry'],
    [{ outcome: Outcome.gatewayError, sent: true, statusCode: 503 }, 'retry'],
    [{ outcome: Outcome.gatewayError, sent: true, statusCode: 504 }, 'retry'],
    [{ outcome: Outcome.success, sent: true, statusCode: 200, grpcCode: 0 }, 'final'],
    [{ outcome: Outcome.gatewayError, sent: true, statusCode: 200, grpcCode: 14 }, 'retry'],
    [{ outcome: Outcome.success, sent: true, statusCode: 200, grpcCode: 5 }, 'final'],
    [{ outcome: Outcome.serverError, sent: true, statusCode: 200, grpcCode: 13 }, 'final'],
    // A gateway in between that knows no gRPC.
    [{ outcome: Outcome.gatewayError, sent: true, statusCode: 503, grpcCode: undefined }, 'retry'],
  ])('%j: %s', (finished, verdict) => {
    expect(verdictOn(finished)).toBe(verdict);
  });

  it('follows the configuration', () => {
    const options: RetryPolicyOptions = { outcomes: ['reset'], statuses: [500], grpcCodes: [4] };
    expect(verdictOn({ outcome: Outcome.timeout, sent: true }, GET, options)).toBe('final');
    expect(
      verdictOn({ outcome: Outcome.serverError, sent: true, statusCode: 500 }, GET, options),
    ).toBe('retry');
    expect(
      verdictOn({ outcome: Outcome.gatewayError, sent: true, statusCode: 503 }, GET, options),
    ).toBe('final');
    expect(verdictOn({ outcome: Outcome.timeout, sent: true, grpcCode: 4 }, GET, options)).toBe(
      'retry',
    );
  });

  it('nothing once the caller has seen a part of the answer', () => {
    expect(verdictOn({ ...BROKEN, answered: true })).toBe('answered');
  });
});

describe('which requests are retried', () => {
  const POST: RetryableRequest = { idempotent: false, replayable: true };
  const STREAM: RetryableRequest = { idempotent: true, replayable: false };
  const UNSENT: FinishedTry = { outcome: Outcome.connectFailure, sent: false };

  it.each<[string, RetryableRequest, FinishedTry, string]>([
    ['idempotent, sent', GET, BROKEN, 'retry'],
    ['not idempotent, sent', POST, BROKEN, 'not-idempotent'],
    ['not idempotent, never sent', POST, UNSENT, 'retry'],
    ['stream, sent', STREAM, BROKEN, 'body-consumed'],
    ['stream, never sent', STREAM, UNSENT, 'retry'],
    ['stream, never sent but read from', STREAM, { ...UNSENT, bodyRead: true }, 'body-consumed'],
    ['stream, sent but not read from', STREAM, { ...BROKEN, bodyRead: false }, 'retry'],
  ])('%s', (_name, request, finished, verdict) => {
    expect(verdictOn(finished, request)).toBe(verdict);
  });
});

describe('how often and when', () => {
  it('grants `attempts` retries; the first goes elsewhere at once, the next after growing pauses', () => {
    const sequence = createPolicy({ attempts: 4, baseBackoffMs: 40, maxBackoffMs: 100 }).begin(GET);
    const delays = [1, 2, 3, 4].map(() => {
      expect(sequence.consider(BROKEN, 0)).toBe('retry');
      return sequence.delayMs;
    });
    // Equal jitter: half of 40, 80 and 100 ms, to the whole.
    expect(delays[0]).toBe(0);
    for (const [index, ceilingMs] of [40, 80, 100].entries()) {
      expect(delays[index + 1]).toBeGreaterThanOrEqual(ceilingMs / 2);
      expect(delays[index + 1]).toBeLessThan(ceilingMs);
    }
    expect(sequence.consider(BROKEN, 0)).toBe('exhausted');
    expect(sequence.used).toBe(4);
  });

  it('pauses before the first, too, when there is nobody else to ask, or when told to', () => {
    const alone = createPolicy().begin(GET);
    expect(alone.consider({ ...BROKEN, elsewhere: false }, 0)).toBe('retry');
    expect(alone.delayMs).toBeGreaterThanOrEqual(10);
    const told = createPolicy({ pauseFirst: true }).begin(GET);
    told.consider(BROKEN, 0);
    expect(told.delayMs).toBeGreaterThanOrEqual(10);
  });

  it('never pauses with a base of 0', () => {
    const sequence = createPolicy({ baseBackoffMs: 0 }).begin(GET);
    sequence.consider({ ...BROKEN, elsewhere: false }, 0);
    sequence.consider({ ...BROKEN, elsewhere: false }, 0);
    expect(sequence.delayMs).toBe(0);
  });

  it('stops when the pause would leave less than the least time for a try', () => {
    const policy = new RetryPolicy(
      { pauseFirst: true, baseBackoffMs: 20, jitter: 'equal' },
      { random: new XorShift128(1), budget: new RetryBudget(), minTryMs: 5 },
    );
    // The pause is 10 to 20 ms: 25 ms are always enough, 14 never are.
    expect(policy.begin({ ...GET, deadlineAtMs: 125 }).consider(BROKEN, 100)).toBe('retry');
    expect(policy.begin({ ...GET, deadlineAtMs: 114 }).consider(BROKEN, 100)).toBe('deadline');
  });

  it('asks the budget last, so that a refusal for another reason costs nothing', () => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 1, windowSeconds: 1 });
    const policy = createPolicy({}, budget);
    policy.begin({ ...GET, deadlineAtMs: 0 }).consider(BROKEN, 0);
    policy.begin({ ...GET, idempotent: false }).consider(BROKEN, 0);
    expect(budget.remaining(0)).toBe(1);
    expect(policy.begin(GET).consider(BROKEN, 0)).toBe('retry');
    expect(policy.begin(GET).consider(BROKEN, 0)).toBe('budget');
    expect(
      ['deadline', 'not-idempotent', 'retry', 'budget', 'final'].map((v) =>
        policy.count(v as 'retry'),
      ),
    ).toEqual([1, 1, 1, 1, 0]);
  });
});

describe('what servers ask for', () => {
  const BUSY: FinishedTry = { outcome: Outcome.overloaded, sent: true, statusCode: 503 };

  it('Retry-After binds who goes back to the same endpoint, by default', () => {
    const sequence = createPolicy().begin(GET);
    expect(sequence.consider({ ...BUSY, retryAfterMs: 60_000 }, 0)).toBe('retry');
    expect(sequence.delayMs).toBe(0);
    const alone = createPolicy({ jitter: 'full' }).begin(GET);
    expect(alone.consider({ ...BUSY, retryAfterMs: 400, elsewhere: false }, 0)).toBe('retry');
    // What was asked and the jitter on top, so that not all return at once.
    expect(alone.delayMs).toBeGreaterThan(400);
    expect(alone.delayMs).toBeLessThan(420);
    expect(verdictOn({ ...BUSY, retryAfterMs: 1_001, elsewhere: false })).toBe('pushback');
  });

  it('Retry-After binds every retry when the limit is the cluster’s', () => {
    const options: RetryPolicyOptions = { retryAfterScope: 'cluster' };
    expect(verdictOn({ ...BUSY, retryAfterMs: 60_000 }, GET, options)).toBe('pushback');
    const sequence = createPolicy(options).begin(GET);
    expect(sequence.consider({ ...BUSY, retryAfterMs: 500 }, 0)).toBe('retry');
    expect(sequence.delayMs).toBeGreaterThanOrEqual(500);
  });

  it('a pushback of gRPC is followed to the millisecond, and restarts the backoff', () => {
    const sequence = createPolicy({ attempts: 5, pauseFirst: true, baseBackoffMs: 16 }).begin(GET);
    const unavailable: FinishedTry = { outcome: Outcome.gatewayError, sent: true, grpcCode: 14 };
    sequence.consider(unavailable, 0);
    sequence.consider(unavailable, 0);
    expect(sequence.delayMs).toBeGreaterThanOrEqual(16);
    expect(sequence.consider({ ...unavailable, pushbackMs: 70 }, 0)).toBe('retry');
    expect(sequence.delayMs).toBe(70);
    sequence.consider(unavailable, 0);
    expect(sequence.delayMs).toBeLessThan(16);
  });

  it('a pushback that forbids, or asks for too long, ends it', () => {
    expect(verdictOn({ ...BUSY, pushbackMs: NEVER_RETRY })).toBe('pushback');
    expect(verdictOn({ ...BUSY, pushbackMs: 1_001 })).toBe('pushback');
    expect(verdictOn({ ...BUSY, pushbackMs: 0 })).toBe('retry');
  });
});

describe('where retries go', () => {
  it('keeps the list of endpoints that failed', () => {
    const sequence = createPolicy().begin(GET);
    sequence.exclude(3);
    sequence.exclude(5);
    sequence.exclude(3);
    expect(sequence.excluded).toEqual([3, 5]);
    sequence.forgetExcluded();
    expect(sequence.excluded).toEqual([]);
  });
});

describe('a retry that was granted and finds no other endpoint', () => {
  const failed = (finished: FinishedTry, request = GET, nowMs = 0) => {
    const budget = new RetryBudget({ ratio: 0, minPerSecond: 5, windowSeconds: 1 });
    const policy = createPolicy({}, budget);
    const sequence = policy.begin(request);
    sequence.exclude(4);
    expect(sequence.consider(finished, nowMs)).toBe('retry');
    return { budget, policy, sequence };
  };

  it('goes back to one that failed, after a pause', () => {
    const { budget, sequence } = failed(BROKEN);
    expect(sequence.reconsider(0)).toBe('retry');
    expect(sequence.delayMs).toBeGreaterThanOrEqual(10);
    expect(sequence.excluded).toEqual([]);
    expect(sequence.used).toBe(1);
    expect(budget.remaining(0)).toBe(4);
    // Once: the second time nobody is excluded, so nobody can be let back in.
    expect(sequence.reconsider(0)).toBe('final');
  });

  it.each<[string, FinishedTry, string]>([
    ['a timeout: it is busy enough', { outcome: Outcome.timeout, sent: true }, 'final'],
    ['a bare answer', { outcome: Outcome.gatewayError, sent: true, statusCode: 503 }, 'final'],
    [
      'an answer that says when to come back',
      { outcome: Outcome.overloaded, sent: true, statusCode: 503, retryAfterMs: 100 },
      'retry',
    ],
    [
      'one that asks for too much',
      { outcome: Outcome.overloaded, sent: true, statusCode: 503, retryAfterMs: 5_000 },
      'pushback',
    ],
  ])('after %s', (_what, finished, verdict) => {
    const { budget, sequence } = failed(finished);
    expect(sequence.reconsider(0)).toBe(verdict);
    // What is not made is not paid for.
    expect(budget.remaining(0)).toBe(verdict === 'retry' ? 4 : 5);
    expect(sequence.used).toBe(verdict === 'retry' ? 1 : 0);
  });

  it('stops at the deadline', () => {
    const { sequence } = failed(BROKEN, { ...GET, deadlineAtMs: 5 });
    expect(sequence.reconsider(0)).toBe('deadline');
  });

  it('is given back when a limit forbids it', () => {
    const { budget, policy, sequence } = failed(BROKEN);
    expect(sequence.decline(0)).toBe('threshold');
    expect(budget.remaining(0)).toBe(5);
    expect([policy.count('retry'), policy.count('threshold')]).toEqual([1, 1]);
  });
});

describe('options', () => {
  it.each([
    [{ attempts: 6 }, 'retry.attempts: expected an integer from 0 to 5, got 6'],
    [{ statuses: [200] }, 'retry.statuses[0]: expected an integer from 400 to 599, got 200'],
    [
      { outcomes: ['success'] },
      'retry.outcomes[0]: expected one of connectFailure, reset, timeout',
    ],
    [{ budget: { ratio: -1 } }, 'retry.budget.ratio: expected a number from 0 to 10, got -1'],
    [{ retries: 2 }, 'retry.retries: expected no such option'],
  ])('refuses %j', (options, message) => {
    expect(() => createPolicy(options as RetryPolicyOptions)).toThrow(message);
  });
});
