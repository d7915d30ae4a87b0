import fc from 'fast-check';
import { XxHash64 } from '../xxhash64.ts';

/** Strings of any UTF-16 units, lone surrogates included. */
export const anyUtf16: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ min: 0x80, max: 0x7ff }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
      fc.integer({ min: 0, max: 0xffff }),
    ),
    { maxLength: 60 },
  )
  .map((units) => String.fromCharCode(...units));

/** Any 32 bits as a signed integer. */
export const anyInt32: fc.Arbitrary<number> = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

/** `count` addresses as endpoints have them. */
export function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.${index >> 8}.${index & 255}.7:8080`);
}

/** What `lookup(hi, lo)` gives for each of `count` keys. */
export function picksOf(lookup: (hi: number, lo: number) => number, count: number): Int32Array {
  const hasher = new XxHash64();
  return Int32Array.from({ length: count }, (_, index) => {
    hasher.hashString(`key-${index}`);
    return lookup(hasher.hi, hasher.lo);
  });
}

/** How often each of `size` indexes occurs. */
export function histogram(picks: ArrayLike<number>, size: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (let index = 0; index < picks.length; index++)
    counts[picks[index]!] = counts[picks[index]!]! + 1;
  return counts;
}

/** Standard deviation over mean. */
export function variation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return Math.sqrt(variance) / mean;
}
