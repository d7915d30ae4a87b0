/**
 * Lengths of time as people write them in files: `5s`, `100ms`, `1m30s`, `1.5h`.
 *
 * ```text
 * duration = part+            parts from the largest unit to the smallest, each unit at most once
 * part     = digits unit      the last part may have a fraction: 1m0.5s
 * unit     = h | m | s | ms
 * ```
 *
 * A bare number is refused: nobody can see whether `5` means seconds or milliseconds.
 */

/** Units from large to small, each in milliseconds. */
const UNITS_MS = { h: 3_600_000n, m: 60_000n, s: 1000n, ms: 1n } as const;

type Unit = keyof typeof UNITS_MS;

/** A match of {@link PART}: all of it, whole digits, digits of the fraction, unit. */
type Part = [string, string, string | undefined, Unit];

/** The grammar as a pattern for JSON Schema, which has no flags. The second assertion keeps the fraction last. */
export const DURATION_PATTERN: string =
  '^(?=\\d)(?!.*\\.\\d+[hms]+\\d)' +
  Object.keys(UNITS_MS)
    .map((unit) => `(\\d{1,15}(\\.\\d{1,15})?${unit})?`)
    .join('') +
  '$';

const PART = /(\d{1,15})(?:\.(\d{1,15}))?(h|ms|m|s)/y;

/**
 * The milliseconds in a text; undefined when it is not a duration.
 *
 * Decimal digits are summed as integers and the point is set once at the end, so that the result is the double nearest
 * to what was written: `0.3s` is 300, not 299.99999999999994.
 */
export function parseDuration(text: string): number | undefined {
  let total = 0n;
  let fractionDigits = 0;
  let smallest: Unit | undefined;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const match = PART.exec(text);
    if (match === null || fractionDigits > 0) return undefined;
    const [, whole, fraction = '', unit] = match as unknown as Part;
    if (smallest !== undefined && UNITS_MS[unit] >= UNITS_MS[smallest]) return undefined;
    smallest = unit;
    fractionDigits = fraction.length;
    total = total * 10n ** BigInt(fractionDigits) + BigInt(whole + fraction) * UNITS_MS[unit];
  }
  return smallest === undefined ? undefined : Number(`${total}e-${fractionDigits}`);
}

/**
 * The shortest text for a duration: `90_000` is `1m30s`. {@link parseDuration} reads it back exactly.
 *
 * @param durationMs 0 or more, below 10^15; fractions of a millisecond are kept
 */
export function formatDuration(durationMs: number): string {
  if (!Number.isInteger(durationMs)) return `${durationMs}ms`;
  let rest = BigInt(durationMs);
  let text = '';
  for (const [unit, unitMs] of Object.entries(UNITS_MS)) {
    const count = rest / unitMs;
    if (count > 0n) text += `${count}${unit}`;
    rest %= unitMs;
  }
  return text === '' ? '0s' : text;
}
