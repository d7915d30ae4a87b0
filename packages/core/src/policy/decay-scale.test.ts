import { describe, expect, it } from 'vitest';
import { DecayScale } from './decay-scale.ts';

/** One stored value, kept as a policy does. */
function storedValue(decayMs: number): {
  decay: DecayScale;
  set(value: number, nowMs: number): void;
  get(nowMs: number): number;
} {
  let stored = 0;
  const decay = new DecayScale(decayMs, (factor) => (stored *= factor));
  return {
    decay,
    set: (value, nowMs) => {
      decay.advance(nowMs);
      stored = value * decay.scale;
    },
    get: (nowMs) => {
      decay.advance(nowMs);
      return stored * decay.inverse;
    },
  };
}

describe('DecayScale', () => {
  it('lets a value decay by exp(-t / tau), within a step of the scale', () => {
    const value = storedValue(1_000);
    value.set(8, 5_000);
    for (const elapsedMs of [0, 1, 10, 500, 1_000, 7_000]) {
      const exact = 8 * Math.exp(-elapsedMs / 1_000);
      // Both scales may lag by one step of 1/1024.
      expect(Math.abs(value.get(5_000 + elapsedMs) / exact - 1)).toBeLessThan(2 / 1_024);
    }
  });

  it('goes on through the rescaling that long times need', () => {
    const value = storedValue(100);
    value.set(1, 0);
    let nowMs = 0;
    // 256 time constants fit between two rescalings; 1000 of them make three.
    for (let refresh = 0; refresh < 1_000; refresh++) {
      nowMs += 100;
      const before = value.get(nowMs);
      expect(before / Math.exp(-1)).toBeGreaterThan(0.99);
      expect(before / Math.exp(-1)).toBeLessThan(1.01);
      value.set(1, nowMs);
      expect(value.decay.scale).toBeLessThan(1e112);
    }
  });

  it('forgets everything after an age, and goes on', () => {
    const value = storedValue(1_000);
    value.set(5, 0);
    expect(value.get(1e12)).toBe(0);
    value.set(5, 1e12);
    expect(value.get(1e12)).toBe(5);
  });

  it('stands still when time goes back', () => {
    const value = storedValue(1_000);
    value.set(5, 10_000);
    expect(value.get(2_000)).toBe(5);
    value.set(3, 1_000);
    expect(value.get(10_000)).toBe(3);
  });

  it('begins at any time, also before 0', () => {
    const value = storedValue(1_000);
    value.set(5, -1e9);
    expect(value.get(-1e9 + 1_000)).toBeCloseTo(5 / Math.E, 2);
  });

  it('tells what it would be without moving', () => {
    const { decay } = storedValue(1_000);
    expect(decay.inverseAt(99)).toBe(1);
    decay.advance(0);
    const told = decay.inverseAt(3_000);
    expect(decay.inverse).toBe(1);
    decay.advance(3_000);
    expect(told).toBeCloseTo(decay.inverse, 12);
  });
});
