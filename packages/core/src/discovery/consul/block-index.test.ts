import { describe, expect, it } from 'vitest';
import { parseIndex } from './block-index.ts';

describe('parseIndex', () => {
  it.each([
    ['1', 1n],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['18446744073709551615', 18_446_744_073_709_551_615n],
    ['18446744073709551616', undefined],
    ['99999999999999999999999999', undefined],
    ['0', undefined],
    ['000', undefined],
    ['', undefined],
    ['-3', undefined],
    ['1.5', undefined],
    ['0x10', undefined],
    ['many', undefined],
    [undefined, undefined],
    [['1', '2'], undefined],
  ])('%j is %s', (header, index) => {
    expect(parseIndex(header)).toBe(index);
  });
});
