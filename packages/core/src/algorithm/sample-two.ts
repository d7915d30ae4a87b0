/**
 * Two distinct indexes for the power of two choices, drawn uniformly from the n (n - 1) ordered pairs.
 *
 * Distinct as in Finagle: `a` from [0, n), `b` from [0, n - 1), and `b` steps over `a`. Sampling with replacement
 * would give the busiest endpoint 1/n^2 of the picks for certain, a quarter with two endpoints.
 *
 * ```ts
 * const draw = random.nextInt32();
 * const a = firstOfTwo(draw, n);
 * const b = secondOfTwo(draw, n, a);
 * ```
 *
 * One 32-bit draw serves both: `draw * n` is a 48-bit product whose upper part is the first index, and whose lower 32
 * bits, the position within that index's share, are as random as the draw was and give the second one (Brackett-Rozinsky
 * and Lemire, "Batched Ranged Random Integer Generation", 2024). Splitting the draw into 16 + 16 bits instead would
 * make some indexes a sixth more frequent than others at n = 10,000.
 *
 * Plain functions without a result object, because they inline.
 */
import type { RandomSource } from './random-source.ts';

/** Largest n for which one draw is enough: then the 2^32 draws still cover all pairs. */
export const MAX_ONE_DRAW = 65_536;

/** The first index, in [0, n). @param n 1 to 65536 */
export function firstOfTwo(draw: number, n: number): number {
  return high48(draw, n);
}

/** The second index, in [0, n) and other than `first`. @param n 2 to 65536 */
export function secondOfTwo(draw: number, n: number, first: number): number {
  const second = high48(Math.imul(draw, n), n - 1);
  return second >= first ? second + 1 : second;
}

/** For any n from 2 to 2^32: an index other than `first`, from a draw of its own. */
export function otherIndex(random: RandomSource, n: number, first: number): number {
  const second = Math.floor((random.nextInt32() >>> 0) * ((n - 1) * 2 ** -32));
  return second >= first ? second + 1 : second;
}

/** The product of 32 bits and a factor up to 2^16, without its lower 32 bits. All partial sums fit 32 bits. */
function high48(bits: number, factor: number): number {
  const low = Math.imul(bits & 0xffff, factor) >>> 16;
  return ((Math.imul(bits >>> 16, factor) >>> 0) + low) >>> 16;
}
