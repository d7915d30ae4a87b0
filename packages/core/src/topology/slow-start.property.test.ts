import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SlowStartConfig, slowStartFactor, slowStartStepMs } from './slow-start.ts';

const config: fc.Arbitrary<SlowStartConfig> = fc.record({
  windowMs: fc.integer({ min: 1_000, max: 3_600_000 }),
  aggression: fc.double({ min: 0.1, max: 10, noNaN: true }),
  minWeightPercent: fc.integer({ min: 1, max: 100 }),
});
/** Also before the start: clocks of endpoints and of this process need not agree. */
const age = fc.integer({ min: -10_000, max: 4_000_000 });

describe('slowStartFactor, any options', () => {
  it('stays between the least weight and all of it, never falls, and ends with the window', () => {
    fc.assert(
      fc.property(config, age, age, (options, one, other) => {
        const [younger, older] = [Math.min(one, other), Math.max(one, other)];
        const factor = slowStartFactor(younger, options);
        expect(factor).toBeGreaterThanOrEqual(options.minWeightPercent / 100);
        expect(factor).toBeLessThanOrEqual(1);
        expect(slowStartFactor(older, options)).toBeGreaterThanOrEqual(factor);
        expect(slowStartFactor(options.windowMs, options)).toBe(1);
      }),
      { seed: 1 },
    );
  });

  it('grows earlier the more aggressive it is', () => {
    const aggression = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(config, age, aggression, aggression, (options, ageMs, one, other) => {
        const at = (value: number): number =>
          slowStartFactor(ageMs, { ...options, aggression: value });
        expect(at(Math.max(one, other))).toBeGreaterThanOrEqual(at(Math.min(one, other)) - 1e-12);
      }),
      { seed: 2 },
    );
  });

  it('changes by a few percent a step where it grows evenly', () => {
    fc.assert(
      fc.property(config, age, (options, ageMs) => {
        const even = { ...options, aggression: 1 };
        const stepMs = slowStartStepMs(even);
        const grown = slowStartFactor(ageMs + stepMs, even) - slowStartFactor(ageMs, even);
        expect(grown).toBeLessThanOrEqual(stepMs / even.windowMs + 1e-12);
      }),
      { seed: 3 },
    );
  });
});
