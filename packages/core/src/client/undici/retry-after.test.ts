import { describe, expect, it } from 'vitest';
import { MAX_RETRY_AFTER_MS, retryAfterMs } from './retry-after.ts';

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
