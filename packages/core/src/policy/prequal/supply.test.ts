import { describe, expect, it } from 'vitest';
import { Supply } from './supply.ts';

/** As after many requests that brought so many answers each. */
function steady(answersPerRequest: number): Supply {
  const supply = new Supply();
  let due = 0;
  for (let request = 0; request < 2_000; request++) {
    for (due += answersPerRequest; due >= 1; due--) supply.answered();
    supply.requested();
  }
  return supply;
}

describe('how often an answer is used', () => {
  it('makes up for what comes in: twice what is needed, as the paper has it', () => {
    // (1 + 1) / ((1 - m/n) * r - removals): m = 16 of n = 100, 3 answers per request of which 0.1 are removed.
    expect(steady(3).usesOf(0.84, 0.1)).toBe(1);
    expect(steady(1).usesOf(0.84, 0.1)).toBeCloseTo(2 / 0.74, 2);
    expect(steady(0.5).usesOf(0.84, 0.1)).toBeCloseTo(4 / 0.74, 1);
  });

  it('is bounded: 8 times where answers are scarce, or all members are in the pool anyway', () => {
    expect(steady(0).usesOf(1, 0.1)).toBe(8);
    expect(steady(0.05).usesOf(1, 0.1)).toBe(8);
    expect(steady(3).usesOf(0, 0.1)).toBe(8);
  });

  it('follows what really comes in', () => {
    const supply = steady(1);
    expect(supply.answersPerRequest).toBeCloseTo(1, 6);
    // Probes fail: after the window of 64 requests 1/e of the mean is left.
    for (let request = 0; request < 64; request++) supply.requested();
    expect(supply.answersPerRequest).toBeCloseTo(Math.exp(-1), 1);
  });
});
