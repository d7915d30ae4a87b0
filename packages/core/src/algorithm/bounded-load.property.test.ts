import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedLoad, slotsOf, totalSlots } from './bounded-load.ts';
import { histogram } from './test-support/cases.ts';

describe('capacity', () => {
  it.each([
    [0, 125, 2],
    [3, 125, 5],
    [99, 125, 125],
    [100, 125, 127], // 126.25 rounded up
    [7, 100, 8],
    [9, 150, 15],
  ])('of %d in flight at %d %% is %d slots', (active, factor, slots) => {
    expect(totalSlots(active, factor)).toBe(slots);
  });

  it('is rounded up for an endpoint, and never none', () => {
    expect(slotsOf(127, 0.25)).toBe(32);
    expect(slotsOf(128, 0.25)).toBe(32);
    expect(slotsOf(10, 0.000_1)).toBe(1);
  });
});

/** A step: a request for an endpoint, or (negative) the end of one at an endpoint. */
const anySteps = fc.array(fc.integer({ min: -12, max: 11 }), { minLength: 1, maxLength: 300 });

describe('BoundedLoad', () => {
  it('never lifts an endpoint above its cap, also while endpoints join and leave', () => {
    const bounded = fc.property(
      fc.array(anySteps, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 100, max: 300 }),
      (phases, counts, factorPercent) => {
        const active = new Int32Array(12); // by slot; those above the current count are draining
        for (const [phase, steps] of phases.entries()) {
          const endpointCount = counts[phase]!;
          const load = new BoundedLoad({ active, endpointCount, factorPercent });
          for (const [index, step] of steps.entries()) {
            const total = active.reduce((sum, requests) => sum + requests, 0);
            if (step < 0) {
              const slot = -step - 1;
              if (active[slot]! > 0) active[slot] = active[slot]! - 1;
              continue;
            }
            const endpoint = load.pick(step % endpointCount, Math.imul(index, 0x9e37_79b1), total);
            active[endpoint] = active[endpoint]! + 1;
            expect(active[endpoint]).toBeLessThanOrEqual(load.capOf(endpoint, total));
          }
        }
      },
    );
    fc.assert(bounded, { seed: 1, numRuns: 200 });
  });

  it('respects weights in the cap', () => {
    const active = new Int32Array(3);
    const load = new BoundedLoad({
      active,
      endpointCount: 3,
      weights: [1, 2, 5],
      factorPercent: 100,
    });
    for (let total = 0; total < 80; total++) {
      const endpoint = load.pick(0, total, total);
      active[endpoint] = active[endpoint]! + 1;
    }
    expect([...active]).toEqual([10, 20, 50]);
  });

  it('takes the preferred endpoint as long as it has room', () => {
    const active = Int32Array.of(0, 5, 5, 5);
    const load = new BoundedLoad({ active, endpointCount: 4 });
    expect(load.hasRoom(0, 15)).toBe(true);
    expect(load.pick(0, 123, 15)).toBe(0);
    active[0] = 5; // the cap of 16 requests at 125 % over 4 endpoints
    expect(load.capOf(0, 15)).toBe(5);
    expect(load.hasRoom(0, 15)).toBe(false);
  });

  it('sends the overflow of one endpoint to all others alike, the same key always to the same', () => {
    const endpointCount = 10;
    const active = new Int32Array(endpointCount);
    active[3] = 1_000;
    const load = new BoundedLoad({ active, endpointCount });
    const keys = 45_000;
    const targets = Array.from({ length: keys }, (_, key) =>
      load.pick(3, Math.imul(key, 0x9e37_79b1), 100),
    );
    const again = Array.from({ length: keys }, (_, key) =>
      load.pick(3, Math.imul(key, 0x9e37_79b1), 100),
    );
    expect(again).toEqual(targets);
    const shares = histogram(targets, endpointCount);
    expect(shares[3]).toBe(0);
    // Jumps over the full one land evenly: 5000 each, sigma = 67.
    for (const [endpoint, share] of shares.entries()) {
      if (endpoint !== 3) expect(Math.abs(share - 5_000)).toBeLessThan(5 * 67);
    }
  });

  it('finds the only endpoint with room', () => {
    const endpointCount = 101;
    for (let free = 0; free < endpointCount; free += 10) {
      const active = new Int32Array(endpointCount).fill(100);
      active[free] = 0;
      const load = new BoundedLoad({ active, endpointCount, factorPercent: 100 });
      expect(load.pick((free + 1) % endpointCount, free * 7919, 10_000)).toBe(free);
    }
  });

  it('falls back to the preferred endpoint when the total says less than the parts', () => {
    const active = Int32Array.of(50, 50);
    expect(new BoundedLoad({ active, endpointCount: 2 }).pick(1, 0, 3)).toBe(1);
  });

  it('sends no overflow to excluded slots', () => {
    const slots = Int32Array.of(4, 3, 2, 1, 0);
    const active = Int32Array.of(0, 0, 0, 0, 50);
    const load = new BoundedLoad({ active, slots, endpointCount: 5 });
    for (let seed = 0; seed < 200; seed++) {
      expect([3, 4]).toContain(load.pick(0, seed, 50, [2, 3])); // slots 1 and 0
    }
    expect(load.pick(0, 7, 50, [0, 1, 2, 3])).toBe(0);
  });

  it('does not round a whole number of slots up by a rounding error', () => {
    // 525 / 75 = 7 exactly, but 525 * (1 / 75) is a hair above it.
    expect(Math.ceil(525 * (1 / 75))).toBe(8);
    expect(slotsOf(525, 1 / 75)).toBe(7);
  });

  it('reads endpoints through their slots', () => {
    const active = Int32Array.of(9, 9, 0, 9);
    const load = new BoundedLoad({ active, slots: Int32Array.of(3, 2), endpointCount: 2 });
    expect(load.pick(0, 1, 9)).toBe(1);
  });

  it('takes one endpoint, whatever its load', () => {
    const active = Int32Array.of(77);
    expect(new BoundedLoad({ active, endpointCount: 1 }).pick(0, 5, 77)).toBe(0);
  });

  it.each([
    [{ factorPercent: 99 }, 'factorPercent must be between 100 and 10000, got 99'],
    [{ endpointCount: -1 }, 'endpointCount must be between 0 and 2147483647, got -1'],
    [{ weights: [1] }, 'weights must have 2 entries, got 1'],
  ])('refuses %j', (options, message) => {
    const create = () =>
      new BoundedLoad({ active: new Int32Array(2), endpointCount: 2, ...options });
    expect(create).toThrow(new RangeError(message));
  });
});
