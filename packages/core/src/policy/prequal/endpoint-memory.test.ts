import { describe, expect, it } from 'vitest';
import { LoadTable } from '../../model/load-table.ts';
import { badnessOf, EndpointMemory } from './endpoint-memory.ts';

function create(): EndpointMemory {
  return new EndpointMemory(new LoadTable({ capacity: 4 }));
}

describe('what is remembered of an endpoint', () => {
  it('is nothing at first', () => {
    const memory = create();
    expect(memory.concerns(0)).toBe(false);
    expect(memory.badness(0, 0)).toBe(1);
    expect(memory.successRatio(0, 0)).toBe(1);
    expect(memory.heldMs(0, 0)).toBe(0);
  });

  it('is its success rate, by the third power', () => {
    const memory = create();
    memory.observeFailure(0, 1_000);
    // A failure takes 30 % of the success rate.
    expect(memory.successRatio(0, 1_000)).toBeCloseTo(0.7, 6);
    expect(memory.badness(0, 1_000)).toBeCloseTo(1 / 0.7 ** 3, 6);
    expect(memory.badness(1, 1_000)).toBe(1);
  });

  it('is at worst a factor of 1,000', () => {
    const memory = create();
    for (let failure = 0; failure < 100; failure++) memory.observeFailure(0, 1_000);
    expect(memory.badness(0, 1_000)).toBeCloseTo(1_000, 3);
    expect(badnessOf(1)).toBeCloseTo(1_000, 3);
    expect(badnessOf(Number.NaN)).toBe(1);
  });

  it('fades with time, and with every success', () => {
    const memory = create();
    memory.observeFailure(0, 0);
    memory.observeFailure(1, 0);
    expect(memory.successRatio(0, 10_000)).toBeCloseTo(1 - 0.3 / Math.E, 6);
    memory.observeSuccess(1);
    expect(memory.successRatio(1, 0)).toBeCloseTo(1 - 0.3 * 0.9, 6);
    for (let success = 0; success < 100; success++) memory.observeSuccess(1);
    expect(memory.successRatio(1, 0)).toBe(1);
    // After ln(0.9 / 0.002) time constants even the worst is forgotten.
    expect(memory.concerns(61_000)).toBe(true);
    expect(memory.concerns(62_000)).toBe(false);
    expect(memory.badness(0, 62_000)).toBe(1);
  });

  it('is a wish to be left alone, for 5 minutes at most', () => {
    const memory = create();
    memory.hold(0, 3_000, 1_000);
    memory.hold(0, 500, 1_000);
    expect(memory.heldMs(0, 2_000)).toBe(2_000);
    expect(memory.badness(0, 3_999)).toBe(1e9);
    expect(memory.badness(0, 4_000)).toBe(1);
    memory.hold(1, Number.POSITIVE_INFINITY, 0);
    expect(memory.heldMs(1, 0)).toBe(300_000);
    memory.hold(2, -5, 0);
    expect(memory.heldMs(2, 0)).toBe(0);
  });
});
