import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome } from '../model/outcome.ts';
import { XorShift128 } from '../runtime/random.ts';
import { RetryBudget } from './retry-budget.ts';
import { type FinishedTry, RETRY_VERDICTS, RetryPolicy } from './retry-policy.ts';

const anyTry: fc.Arbitrary<FinishedTry> = fc.record(
  {
    outcome: fc.constantFrom(...Object.values(Outcome)),
    sent: fc.boolean(),
    statusCode: fc.constantFrom(200, 404, 429, 500, 502, 503, 504),
    grpcCode: fc.nat({ max: 16 }),
    bodyRead: fc.boolean(),
    answered: fc.boolean(),
    retryAfterMs: fc.nat({ max: 3_000 }),
    pushbackMs: fc.oneof(fc.nat({ max: 3_000 }), fc.constant(Number.POSITIVE_INFINITY)),
    elsewhere: fc.boolean(),
  },
  { requiredKeys: ['outcome', 'sent'] },
);

const anyRequest = fc.record({ idempotent: fc.boolean(), replayable: fc.boolean() });

describe('a sequence of retries', () => {
  it('keeps every promise, whatever happens', () => {
    fc.assert(
      fc.property(
        anyRequest,
        fc.nat({ max: 5 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.array(anyTry, { maxLength: 12 }),
        (request, attempts, deadlineAtMs, tries) => {
          const budget = new RetryBudget({ ratio: 0, minPerSecond: 3, windowSeconds: 1 });
          const policy = new RetryPolicy({ attempts }, { random: new XorShift128(5), budget });
          const sequence = policy.begin({ ...request, deadlineAtMs });
          let nowMs = 0;
          for (const finished of tries) {
            const before = budget.remaining(nowMs);
            const used = sequence.used;
            const verdict = sequence.consider(finished, nowMs);
            expect(RETRY_VERDICTS).toContain(verdict);
            if (verdict !== 'retry') {
              // A refusal changes nothing.
              expect(sequence.used).toBe(used);
              expect(budget.remaining(nowMs)).toBe(before);
              continue;
            }
            expect(sequence.used).toBe(used + 1);
            expect(sequence.used).toBeLessThanOrEqual(attempts);
            expect(budget.remaining(nowMs)).toBe(before - 1);
            expect(finished.outcome).not.toBe(Outcome.cancelled);
            expect(finished.answered ?? false).toBe(false);
            expect(request.idempotent || !finished.sent).toBe(true);
            expect(request.replayable || !(finished.bodyRead ?? finished.sent)).toBe(true);
            expect(sequence.delayMs).toBeGreaterThanOrEqual(finished.pushbackMs ?? 0);
            if (finished.elsewhere === false && finished.pushbackMs === undefined) {
              expect(sequence.delayMs).toBeGreaterThanOrEqual(finished.retryAfterMs ?? 0);
            }
            nowMs += sequence.delayMs;
            expect(nowMs).toBeLessThan(deadlineAtMs);
          }
        },
      ),
      { seed: 21, numRuns: 2_000 },
    );
  });
});

describe('a total outage', () => {
  it('costs at most a quarter more load, with two retries wanted by every request', () => {
    const budget = new RetryBudget();
    const policy = new RetryPolicy({ attempts: 2 }, { random: new XorShift128(9), budget });
    const perSecond = 1_000;
    const seconds = 60;
    let tries = 0;
    for (let request = 0; request < perSecond * seconds; request++) {
      const nowMs = (request * 1_000) / perSecond;
      budget.deposit(nowMs);
      tries++;
      const sequence = policy.begin({ idempotent: true, replayable: true });
      while (sequence.consider({ outcome: Outcome.connectFailure, sent: false }, nowMs) === 'retry')
        tries++;
    }
    // 20 % of the requests and 10 per second: 1.21 at 1,000 per second.
    expect(tries / (perSecond * seconds)).toBeLessThanOrEqual(1.25);
    expect(tries / (perSecond * seconds)).toBeGreaterThan(1.19);
  });
});
