import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outcome, type OutcomeName } from '../../model/outcome.ts';
import { NO_SLOT } from '../../model/pick-context.ts';
import { ejectionLimit } from './ejections.ts';
import { setUpDetector } from './test-support/detector-harness.ts';

const NAMES = Object.keys(Outcome) as OutcomeName[];
const RUN = { seed: 20_300_101, numRuns: 200 } as const;

type Step =
  | {
      readonly do: 'record';
      readonly slot: number;
      readonly name: OutcomeName;
      readonly count: number;
    }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'trial' }
  | { readonly do: 'active'; readonly slot: number; readonly healthy: boolean };

const MAX_MEMBERS = 12;
const slot = fc.nat(MAX_MEMBERS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      slot,
      name: fc.constantFrom(...NAMES),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(15_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trial' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('active' as const), slot, healthy: fc.boolean() }),
  },
);

const options = fc.record({
  members: fc.integer({ min: 1, max: MAX_MEMBERS }),
  maxEjectionPercent: fc.integer({ min: 1, max: 100 }),
  returnBy: fc.constantFrom('trial' as const, 'time' as const),
  activeCheckReturns: fc.boolean(),
  jitterRatio: fc.constantFrom(0, 0.1, 1),
  splitLocalOriginErrors: fc.boolean(),
  // Eager comparisons, so that they have their share in what happens.
  successRate: fc.constantFrom(false as const, {
    minimumEndpoints: 2,
    minimumRequests: 1,
    stdevFactor: 0.5,
    falseAlarmRatio: 1,
  }),
  failurePercentage: fc.constantFrom(false as const, { minimumEndpoints: 3, minimumRequests: 3 }),
  enforcingPercent: fc.constantFrom(100, { successRate: 50 }),
});

function play(bench: ReturnType<typeof setUpDetector>, action: Step): void {
  switch (action.do) {
    case 'record':
      return bench.record(action.slot, action.name, action.count);
    case 'advance':
      return bench.advance(action.ms);
    case 'trial':
      return void bench.takeTrial();
    case 'active':
      return bench.detector.onActiveHealth(action.slot, action.healthy);
  }
}

describe('outlier detection, whatever happens', () => {
  it('never ejects more than the limit, and tells every change exactly once', () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 120 }), (given, steps) => {
        const bench = setUpDetector(given);
        const limit = ejectionLimit(given.members, given.maxEjectionPercent);
        const out = new Set<number>();
        for (const action of steps) {
          play(bench, action);
          for (const { event, slot: which } of bench.events.splice(0)) {
            // A failed trial ejects again what is out already; nothing returns that is not out.
            if (event === 'eject') out.add(which);
            if (event === 'return') expect(out.delete(which)).toBe(true);
          }
          for (let member = 0; member < given.members; member++) {
            expect(bench.detector.status(member)?.ejected).toBe(out.has(member));
          }
          expect(out.size).toBeLessThanOrEqual(limit);
          const { trialSlot } = bench.detector;
          if (trialSlot !== NO_SLOT) expect(out.has(trialSlot)).toBe(true);
        }
      }),
      RUN,
    );
  });

  it('always ejects the first of two or more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 100 }),
        (members, percent) => {
          const bench = setUpDetector({ members, maxEjectionPercent: percent });
          bench.record(members - 1, 'serverError', 5);
          expect(bench.detector.status(members - 1)?.ejected).toBe(true);
        },
      ),
      RUN,
    );
  });

  it('brings everyone back some day without any request, and leaves no timer then', () => {
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 60 }), (given, steps) => {
        const bench = setUpDetector(given);
        for (const action of steps) play(bench, action);
        // Longest ejection, all of the jitter, and the limit of the trial.
        bench.advance(300_000 * 2 + 10_000 + 1);
        for (let member = 0; member < given.members; member++) {
          expect(bench.detector.status(member)?.ejected).toBe(false);
        }
        // The one that is left compares members, if there are enough of them.
        const { members, successRate, failurePercentage } = given;
        const compares =
          (successRate !== false && members >= 2) || (failurePercentage !== false && members >= 3);
        expect(bench.runtime.scheduler.pendingCount).toBe(compares ? 1 : 0);
        bench.detector.close();
        expect(bench.runtime.scheduler.pendingCount).toBe(0);
      }),
      RUN,
    );
  });
});
