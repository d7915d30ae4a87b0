/** Randomness as the algorithms take it, and the few ways they use it. Generators live with their callers. */

/** Where random bits come from. */
export interface RandomSource {
  /** 32 random bits as a signed integer: V8 keeps those unboxed, unlike most values in [0, 2^32). */
  nextInt32(): number;
}

const TWO_TO_32 = 2 ** 32;
const TWO_TO_MINUS_32 = 2 ** -32;
const TWO_TO_MINUS_53 = 2 ** -53;

/**
 * A random integer in [0, n), by scaling one 32-bit draw ("multiply-high", Lemire, "Fast Random Integer Generation in
 * an Interval", 2019, without the rejection step).
 *
 * Bias: every result stands for floor or ceil of 2^32 / n draws, so probabilities differ by at most n / 2^32 of their
 * value: 2 parts in a million at n = 10,000.
 *
 * @param n integer between 1 and 2^32; not checked
 */
export function uniformBelow(random: RandomSource, n: number): number {
  // The product is below n * (2^32 - 1): even rounded to 53 bits it cannot reach n * 2^32.
  return Math.floor((random.nextInt32() >>> 0) * (n * TWO_TO_MINUS_32));
}

/** A random number in [0, 1): one draw, a multiple of 2^-32. */
export function uniformUnit(random: RandomSource): number {
  return (random.nextInt32() >>> 0) * TWO_TO_MINUS_32;
}

/** A random number in [0, 1) with all 53 bits of a double's precision: two draws. */
export function uniformUnit53(random: RandomSource): number {
  const upper = random.nextInt32() >>> 0;
  const lower = random.nextInt32() >>> 11; // 21 bits
  return (upper * 2 ** 21 + lower) * TWO_TO_MINUS_53;
}

/** A random number in (0, 1), never 0: for logarithms and divisions. One draw. */
export function uniformPositive(random: RandomSource): number {
  return ((random.nextInt32() >>> 0) + 0.5) / TWO_TO_32;
}
