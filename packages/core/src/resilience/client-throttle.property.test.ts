import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome, OUTCOME_COUNT } from '../model/outcome.ts';
import { XorShift128 } from '../runtime/random.ts';
import { ClientThrottle, type ClientThrottleOptions, isAccepted } from './client-throttle.ts';

const options: fc.Arbitrary<ClientThrottleOptions> = fc.record({
  acceptMultiplier: fc.double({ min: 1.01, max: 100, noNaN: true }),
  windowMs: fc.integer({ min: 1_000, max: 600_000 }),
  maxRejectRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  minRequestsPerSecond: fc.double({ min: 0, max: 50, noNaN: true }),
});
const steps = fc.array(
  fc.record({ waitMs: fc.integer({ min: 0, max: 30_000 }), outcome: fc.nat(OUTCOME_COUNT - 1) }),
  { maxLength: 200 },
);

describe('ClientThrottle, any traffic', () => {
  it('refuses at most its largest part, nothing before a failure, and forgets in a window', () => {
    fc.assert(
      fc.property(options, steps, (chosen, all) => {
        const throttle = new ClientThrottle(chosen, { random: new XorShift128(1) });
        let nowMs = 0;
        let failed = false;
        for (const { waitMs, outcome } of all) {
          nowMs += waitMs;
          const ratio = throttle.rejectRatio(nowMs);
          expect(ratio).toBeGreaterThanOrEqual(0);
          expect(ratio).toBeLessThanOrEqual(throttle.config.maxRejectRatio);
          if (!failed) expect(ratio).toBe(0);
          const before = throttle.rejectedCount;
          const admitted = throttle.tryAcquire(nowMs);
          expect(throttle.rejectedCount - before).toBe(admitted ? 0 : 1);
          if (ratio === 0) expect(admitted).toBe(true);
          if (!admitted) continue;
          throttle.finish(outcome as Outcome, nowMs);
          failed ||= !isAccepted(outcome as Outcome);
        }
        expect(throttle.rejectRatio(nowMs + 2 * throttle.config.windowMs)).toBe(0);
      }),
      { seed: 1 },
    );
  });

  it('refuses nothing while at least one in K is accepted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 300 }), (k, turns) => {
        const throttle = new ClientThrottle(
          { acceptMultiplier: k, minRequestsPerSecond: 0 },
          { random: new XorShift128(2) },
        );
        for (let turn = 0; turn < turns; turn++) {
          // The good one first: then no prefix has less than one in K.
          for (let place = 0; place < k; place++) {
            expect(throttle.tryAcquire(turn)).toBe(true);
            throttle.finish(place === 0 ? Outcome.success : Outcome.overloaded, turn);
          }
        }
        expect(throttle.rejectedCount).toBe(0);
      }),
      { seed: 2 },
    );
  });
});
