import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHttpDate } from './http-date.ts';
import { grpcPushbackMs, MAX_RETRY_AFTER_MS, NEVER_RETRY, retryAfterMs } from './retry-after.ts';

const NOW = Date.UTC(2030, 0, 1);

describe('retryAfterMs', () => {
  it.each<[string | string[] | undefined, number | undefined]>([
    ['0', 0],
    ['2', 2_000],
    [' 2 ', 2_000],
    [['3', '9'], 3_000],
    ['999999999999999999999', MAX_RETRY_AFTER_MS],
    [new Date(NOW + 5_000).toUTCString(), 5_000],
    [new Date(NOW - 5_000).toUTCString(), 0],
    [new Date(NOW + 86_400_000).toUTCString(), MAX_RETRY_AFTER_MS],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
    [[], undefined],
  ])('%j is %s', (value, expected) => {
    expect(retryAfterMs(value, NOW)).toBe(expected);
  });
});

describe('grpcPushbackMs', () => {
  it.each<[string | string[] | undefined, number | undefined]>([
    ['0', 0],
    ['1500', 1_500],
    [['7', '8'], 7],
    [String(2 ** 31 - 1), 2 ** 31 - 1],
    // gRFC A6: negative or unparsable means "do not retry".
    ['-1', NEVER_RETRY],
    ['soon', NEVER_RETRY],
    ['', NEVER_RETRY],
    ['1.5', NEVER_RETRY],
    [String(2 ** 31), NEVER_RETRY],
    [undefined, undefined],
  ])('%j is %s', (value, expected) => {
    expect(grpcPushbackMs(value)).toBe(expected);
  });
});

describe('parseHttpDate', () => {
  it.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ])('reads %s, an example of RFC 9110', (text) => {
    expect(parseHttpDate(text)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
  });

  it.each([
    '2030-01-01T00:00:00Z',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ])('refuses %j', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });

  it('reads two digits of a year as 1970 to 2069, and a leap second as the second after it', () => {
    expect(parseHttpDate('Tuesday, 01-Jan-69 00:00:00 GMT')).toBe(Date.UTC(2069, 0, 1));
    expect(parseHttpDate('Thursday, 01-Jan-70 00:00:00 GMT')).toBe(0);
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT')).toBe(Date.UTC(2017, 0, 1));
  });

  it('agrees with the platform on every date from 1970 to 9999', () => {
    const lastSecond = Date.UTC(9999, 11, 31, 23, 59, 59) / 1_000;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: lastSecond }), (seconds) => {
        const text = new Date(seconds * 1_000).toUTCString();
        expect(parseHttpDate(text)).toBe(seconds * 1_000);
      }),
      { seed: 11, numRuns: 2_000 },
    );
  });
});
