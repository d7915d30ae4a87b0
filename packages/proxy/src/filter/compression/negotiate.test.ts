import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Coding, negotiate } from './negotiate.ts';

const ALL: readonly Coding[] = ['br', 'gzip', 'zstd'];

describe('negotiate', () => {
  it.each<[string | undefined, Coding | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', undefined],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['gzip;q=0.5, br;q=0.5', 'br'],
    ['gzip;q=0, br;q=0', undefined],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['*;q=0.5, gzip', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['gzip;q=0.001', 'gzip'],
    ['identity;q=1, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip;q=1', 'gzip'],
    ['identity, gzip', 'gzip'],
    ['identity;q=0, gzip', 'gzip'],
    [' gzip ; q=1 ', 'gzip'],
    ['gzip;q=2', undefined],
    ['gzip;q=-1', undefined],
    ['gzip;q=', undefined],
    ['gzip;level=9', undefined],
    [',,,gzip,,', 'gzip'],
  ])('%j: %s', (accepted, expected) => {
    expect(negotiate(accepted, ALL)).toBe(expected);
  });

  it('offers only what it has, whatever a client sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (accepted) => {
        expect([undefined, 'gzip']).toContain(negotiate(accepted, ['gzip']));
      }),
      { seed: 20_237 },
    );
    expect(negotiate('br', ['gzip'])).toBeUndefined();
    expect(negotiate(`${'x,'.repeat(100_000)}gzip`, ALL)).toBeUndefined();
  });
});
