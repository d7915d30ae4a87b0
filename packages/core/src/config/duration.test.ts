import { describe, expect, it } from 'vitest';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  it.each([
    ['5s', 5000],
    ['100ms', 100],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1h1m1s1ms', 3_661_001],
    ['1h5ms', 3_600_005],
    ['1.5s', 1500],
    ['0.3s', 300],
    ['1m0.5s', 60_500],
    ['0.25ms', 0.25],
    ['0s', 0],
    ['007s', 7000],
  ])('reads %s as %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
    expect(text).toMatch(new RegExp(DURATION_PATTERN));
  });

  it.each([
    '',
    '5',
    's',
    '5 s',
    ' 5s',
    '5s ',
    '-5s',
    '+5s',
    '5S',
    '5sec',
    '1s1m', // units go from large to small
    '1s1s', // each once
    '1.5m30s', // only the last part may have a fraction
    '.5s',
    '5.s',
    '1e3s',
    '5us',
    '1d',
    '٥s',
    'Infinityms',
    '1234567890123456s', // more digits than any clock needs
    '5s\n',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(text).not.toMatch(new RegExp(DURATION_PATTERN));
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [1, '1ms'],
    [1000, '1s'],
    [1500, '1s500ms'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
    [86_400_000, '24h'],
    [0.5, '0.5ms'],
    [1000.25, '1000.25ms'],
  ])('writes %d ms as %s', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});
