/**
 * 64-bit unsigned integers as two signed 32-bit halves.
 *
 * BigInt arithmetic allocates (about 1 us for a 16-byte hash where the halves need 0.05), and a double holds only
 * 53 bits. Signed halves stay unboxed in V8; their bits are those of the unsigned number.
 */

/** A 64-bit number, or the last result of something that computes one. */
export interface Uint64 {
  /** Upper 32 bits as a signed integer. */
  readonly hi: number;
  /** Lower 32 bits as a signed integer. */
  readonly lo: number;
}

/**
 * Upper 32 bits of the unsigned 32 x 32 -> 64 bit product (`Math.imul` gives the lower ones), as a signed integer.
 *
 * Schoolbook multiplication on 16-bit digits; every partial sum stays below 2^32, so the engine keeps it in one
 * machine word.
 */
export function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/**
 * Upper half of the low 64 bits of a 64 x 64 bit product; the lower half is `Math.imul(aLo, bLo)`.
 *
 * Four parameters: two numbers in halves, on the innermost loop of the hashes.
 */
export function mulHigh64(aHi: number, aLo: number, bHi: number, bLo: number): number {
  return (mulHigh(aLo, bLo) + Math.imul(aHi, bLo) + Math.imul(aLo, bHi)) | 0;
}

/** What a sum of two unsigned lower halves carries into the upper one: 0 or 1. */
export function carryOf(sum: number): number {
  return sum > 0xffff_ffff ? 1 : 0;
}

/** The number as a BigInt, for API edges and tests. */
export function toBigInt(value: Uint64): bigint {
  return (BigInt(value.hi >>> 0) << 32n) | BigInt(value.lo >>> 0);
}

/** The lower 64 bits of a BigInt (or of an integer number) as halves. */
export function fromBigInt(value: bigint | number): Uint64 {
  const bits = BigInt.asUintN(64, BigInt(value));
  return { hi: Number(bits >> 32n) | 0, lo: Number(bits & 0xffff_ffffn) | 0 };
}

/** Unsigned order of two halves: negative when `a` is below `b`, positive when above, else 0. */
export function compareUint32(a: number, b: number): number {
  return (a >>> 0) - (b >>> 0);
}
