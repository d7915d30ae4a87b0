import { describe, expect, it } from 'vitest';
import { isPrime, nextPrime } from './prime.ts';

describe('isPrime', () => {
  it('agrees with a sieve up to 10,000', () => {
    const composite = new Uint8Array(10_001);
    for (let value = 2; value <= 10_000; value++) {
      expect(isPrime(value)).toBe(composite[value] === 0);
      for (let multiple = value * value; multiple <= 10_000; multiple += value)
        composite[multiple] = 1;
    }
  });

  it.each([65_537, 655_373, 5_000_011, 4_294_967_291])('knows the prime %d', (value) => {
    expect(isPrime(value)).toBe(true);
  });

  it.each([-7, 0, 1, 2.5, NaN, Infinity, 65_536, 5_000_013, 4_294_967_297])(
    'rejects %d',
    (value) => {
      expect(isPrime(value)).toBe(false);
    },
  );
});

describe('nextPrime', () => {
  it.each([
    [0, 2],
    [2, 2],
    [8, 11],
    [24, 29],
    [65_536, 65_537],
    [4_294_967_280, 4_294_967_291],
  ])('from %d is %d', (value, prime) => {
    expect(nextPrime(value)).toBe(prime);
  });

  it.each([-1, 4_294_967_292, 1.5])('refuses %d', (value) => {
    expect(() => nextPrime(value)).toThrow(RangeError);
  });
});
