import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextStanding, type RiseFallRule, type Standing, UNKNOWN_STANDING } from './rise-fall.ts';

const rule: fc.Arbitrary<RiseFallRule> = fc.record({
  rise: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 5 }),
  initial: fc.constantFrom('healthy' as const, 'unchecked' as const),
});

describe('nextStanding, for any results', () => {
  it('changes a verdict only at the end of a full run, and always there', () => {
    fc.assert(
      fc.property(rule, fc.array(fc.boolean(), { maxLength: 60 }), (given, results) => {
        let standing: Standing = UNKNOWN_STANDING;
        let run = 0;
        let last: boolean | undefined;
        for (const passed of results) {
          run = passed === last ? run + 1 : 1;
          last = passed;
          const before = standing.healthy;
          standing = nextStanding(standing, passed, given);
          const needed = passed ? given.rise : given.fall;
          if (before === undefined) {
            const decides = passed || given.initial === 'unchecked' || run >= needed;
            expect(standing.healthy).toBe(decides ? passed : undefined);
          } else {
            expect(standing.healthy).toBe(before !== passed && run >= needed ? passed : before);
          }
          expect(Math.min(standing.consecutiveSuccesses, standing.consecutiveFailures)).toBe(0);
          expect(standing.consecutiveSuccesses + standing.consecutiveFailures).toBe(run);
        }
      }),
      { seed: 20_300_102, numRuns: 300 },
    );
  });
});
