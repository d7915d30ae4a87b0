import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LevelHealth, priorityLoads } from './priority.ts';

const levelHealth: fc.Arbitrary<LevelHealth> = fc
  .tuple(fc.nat(200), fc.nat(200), fc.nat(200), fc.nat(200))
  .map(([healthyCount, degradedCount, uncheckedCount, badCount]) => ({
    healthyCount,
    degradedCount,
    presumedHealthyCount: healthyCount + degradedCount + uncheckedCount,
    candidateCount: healthyCount + degradedCount + uncheckedCount + badCount,
  }));
const levels = fc.array(levelHealth, { minLength: 1, maxLength: 6 });
const rule = fc.record({
  overprovisioningFactor: fc.constantFrom(1, 1.2, 1.4, 2, 10),
  panicThresholdPercent: fc.constantFrom(0, 10, 50, 100),
});

const load = ({ healthyPercent, degradedPercent }: ReturnType<typeof priorityLoads>[number]) =>
  healthyPercent + degradedPercent;

describe('priorityLoads', () => {
  it('gives out 100 percent in whole percents, none below 0', () => {
    fc.assert(
      fc.property(levels, rule, (health, options) => {
        const loads = priorityLoads(health, options);
        expect(loads.reduce((sum, level) => sum + load(level), 0)).toBe(100);
        for (const { healthyPercent, degradedPercent } of loads) {
          expect(Number.isInteger(healthyPercent) && healthyPercent >= 0).toBe(true);
          expect(Number.isInteger(degradedPercent) && degradedPercent >= 0).toBe(true);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('sends nothing where nobody can take it, as long as there is anyone', () => {
    fc.assert(
      fc.property(levels, rule, (health, options) => {
        const offers = health.some(
          ({ healthyCount, degradedCount }) => healthyCount + degradedCount > 0,
        );
        priorityLoads(health, options).forEach((level, index) => {
          const { healthyCount = 0, degradedCount = 0, candidateCount = 0 } = health[index] ?? {};
          if (level.panic) expect(load(level) > 0 && candidateCount === 0).toBe(false);
          else if (offers) {
            expect(level.healthyPercent > 0 && healthyCount === 0).toBe(false);
            expect(level.degradedPercent > 0 && degradedCount === 0).toBe(false);
          }
        });
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it('never takes load from a level because it got healthier', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(100), { minLength: 2, maxLength: 4 }),
        fc.nat(3),
        (healthy, which) => {
          const at = which % healthy.length;
          const loads = (counts: readonly number[]): number =>
            load(
              priorityLoads(
                counts.map((count) => ({
                  healthyCount: count,
                  degradedCount: 0,
                  presumedHealthyCount: count,
                  candidateCount: 100,
                })),
                { overprovisioningFactor: 1.4, panicThresholdPercent: 0 },
              )[at] ?? { healthyPercent: 0, degradedPercent: 0, panic: false },
            );
          const better = healthy.map((count, index) =>
            index === at ? Math.min(100, count + 5) : count,
          );
          // What rounding leaves over goes to the first level: up to one percent for each of the others.
          expect(loads(better)).toBeGreaterThanOrEqual(loads(healthy) - healthy.length);
        },
      ),
      { seed: 3, numRuns: 500 },
    );
  });
});
