import { describe, expect, it } from 'vitest';
import { checkInteger, checkKeys, checkNumber, checkWeights } from './check.ts';

describe('argument checks name the field, the range and the value', () => {
  it.each([
    [() => checkNumber('tauMs', 0, { above: 0 }), RangeError, 'tauMs must be above 0, got 0'],
    [
      () => checkNumber('x', 11, { above: 0, max: 10 }),
      RangeError,
      'x must be above 0 and at most 10, got 11',
    ],
    [
      () => checkNumber('x', -1, { min: 0, max: 1 }),
      RangeError,
      'x must be between 0 and 1, got -1',
    ],
    [() => checkNumber('x', -1, { min: 0 }), RangeError, 'x must be at least 0, got -1'],
    [() => checkNumber('x', 5, { max: 4 }), RangeError, 'x must be at most 4, got 5'],
    [() => checkNumber('x', NaN, {}), TypeError, 'x must be a finite number, got NaN'],
    [() => checkNumber('x', Infinity, {}), TypeError, 'x must be a finite number, got Infinity'],
    [() => checkNumber('x', '5' as never, {}), TypeError, 'x must be a finite number, got 5'],
    [
      () => checkInteger('n', 1.5, { min: 1 }),
      RangeError,
      'n must be an integer at least 1, got 1.5',
    ],
    [
      () => checkInteger('n', 0, { min: 1, max: 9 }),
      RangeError,
      'n must be between 1 and 9, got 0',
    ],
    [() => checkKeys(['a', '']), RangeError, 'keys[1] must be a non-empty string, got ""'],
    [() => checkKeys(['a', 'b', 'a']), RangeError, 'keys must differ, got "a" twice'],
    [() => checkWeights(2, [1]), RangeError, 'weights must have 2 entries, got 1'],
    [() => checkWeights(2, [1, 0]), RangeError, 'weights[1] must be above 0, got 0'],
    [() => checkWeights(1, [NaN]), TypeError, 'weights[0] must be a finite number, got NaN'],
  ])('case %#', (check, kind, message) => {
    expect(check).toThrow(kind);
    expect(check).toThrow(message);
  });

  it('passes what is in range', () => {
    expect(checkNumber('x', 0.5, { above: 0, max: 1 })).toBe(0.5);
    expect(checkInteger('n', 3, { min: 3, max: 3 })).toBe(3);
    expect([...checkWeights(3)]).toEqual([1, 1, 1]);
    expect([...checkWeights(2, [2, 0.5])]).toEqual([2, 0.5]);
    expect(() => checkKeys([])).not.toThrow();
  });
});
