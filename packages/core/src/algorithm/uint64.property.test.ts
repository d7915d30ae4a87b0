import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Modulus } from './modulus.ts';
import { anyInt32 } from './test-support/cases.ts';
import { carryOf, fromBigInt, mulHigh, mulHigh64, toBigInt } from './uint64.ts';

const unsigned = (value: number): bigint => BigInt(value >>> 0);

describe('64-bit arithmetic on halves is that of BigInt', () => {
  it('multiplies two 32-bit numbers', () => {
    const product = fc.property(anyInt32, anyInt32, (a, b) => {
      expect(unsigned(mulHigh(a, b))).toBe((unsigned(a) * unsigned(b)) >> 32n);
    });
    fc.assert(product, {
      seed: 1,
      numRuns: 2_000,
      examples: [
        [-1, -1],
        [0, -1],
        [-65_536, 65_535],
      ],
    });
  });

  it('multiplies two 64-bit numbers', () => {
    const product = fc.property(anyInt32, anyInt32, anyInt32, anyInt32, (aHi, aLo, bHi, bLo) => {
      const expected = BigInt.asUintN(
        64,
        toBigInt({ hi: aHi, lo: aLo }) * toBigInt({ hi: bHi, lo: bLo }),
      );
      expect(toBigInt({ hi: mulHigh64(aHi, aLo, bHi, bLo), lo: Math.imul(aLo, bLo) })).toBe(
        expected,
      );
    });
    fc.assert(product, { seed: 2, numRuns: 1_000 });
  });

  it('carries', () => {
    expect(carryOf(2 ** 32 - 1)).toBe(0);
    expect(carryOf(2 ** 32)).toBe(1);
  });

  it('converts there and back', () => {
    const roundTrip = fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      expect(toBigInt(fromBigInt(value))).toBe(value);
    });
    fc.assert(roundTrip, { seed: 3 });
    expect(fromBigInt(-1)).toEqual({ hi: -1, lo: -1 });
    expect(fromBigInt(2n ** 64n + 5n)).toEqual({ hi: 0, lo: 5 });
  });
});

describe('Modulus', () => {
  const divisors = fc.oneof(
    fc.integer({ min: 1, max: 2 ** 26 - 1 }),
    fc.constantFrom(1, 2, 3, 65_537, 655_373, 2 ** 20, 2 ** 20 + 1, 5_000_011, 2 ** 26 - 1),
  );

  it('is the remainder of a BigInt division', () => {
    const remainder = fc.property(divisors, anyInt32, anyInt32, (divisor, hi, lo) => {
      const expected = Number(toBigInt({ hi, lo }) % BigInt(divisor));
      expect(new Modulus(divisor).reduce(hi, lo)).toBe(expected);
    });
    fc.assert(remainder, { seed: 4, numRuns: 5_000 });
  });

  it('is exact next to every kind of multiple', () => {
    // Where the estimated quotient is most likely to be off by one.
    const nearMultiple = fc.property(
      divisors,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (divisor, at) => {
        const multiples = (2n ** 64n - 1n) / BigInt(divisor);
        const multiple = (BigInt(Math.floor(at * 2 ** 32)) * multiples) >> 32n;
        for (const offset of [-1n, 0n, 1n]) {
          const value = BigInt.asUintN(64, multiple * BigInt(divisor) + offset);
          const { hi, lo } = fromBigInt(value);
          expect(new Modulus(divisor).reduce(hi, lo)).toBe(Number(value % BigInt(divisor)));
        }
      },
    );
    fc.assert(nearMultiple, { seed: 5, numRuns: 2_000 });
  });

  it.each([0, -1, 1.5, 2 ** 26])('refuses the divisor %d', (divisor) => {
    expect(() => new Modulus(divisor)).toThrow(RangeError);
  });
});
