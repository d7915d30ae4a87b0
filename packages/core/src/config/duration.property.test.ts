import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';

const SEED = 20_301;

describe('durations', () => {
  it('survive the way to text and back exactly', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: 10 ** 12 }),
      // Fractions down to a nanosecond, which is finer than any clock here.
      fc.integer({ min: 0, max: 10 ** 12 }).map((ns) => ns / 1e6),
    );
    fc.assert(
      fc.property(lengths, (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
        expect(formatDuration(ms)).toMatch(new RegExp(DURATION_PATTERN));
      }),
      { seed: SEED },
    );
  });

  it('are what the pattern for editors accepts, no more and no less', () => {
    const pieces = fc.constantFrom('1', '20', '.', '0.5', 'h', 'm', 's', 'ms', ' ', '-');
    const texts = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
    const pattern = new RegExp(DURATION_PATTERN);
    fc.assert(
      fc.property(texts, (text) => {
        expect(pattern.test(text)).toBe(parseDuration(text) !== undefined);
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });
});
