import { describe, expect, it } from 'vitest';
import { SafeRegex } from './safe-regex.ts';

describe('a safe regular expression', () => {
  it('is for the whole text', () => {
    const regex = new SafeRegex('/v[12]/.*');
    expect(regex.test('/v1/a')).toBe(true);
    expect(regex.test('x/v1/a')).toBe(false);
    expect(new SafeRegex('/a').test('/ab')).toBe(false);
  });

  it('gives its groups by number and name', () => {
    const regex = new SafeRegex('/(?P<id>[0-9]+)(/.*)?');
    expect(regex.groupNames).toEqual(['0', '1', '2', 'id']);
    expect(Object.fromEntries(regex.groups('/12') ?? [])).toEqual({
      0: '/12',
      1: '12',
      2: '',
      id: '12',
    });
    expect(regex.groups('/x')).toBeUndefined();
  });

  it.each(['(a+)+b', '(a|aa)*c', '(.*a){10}', '^(([a-z])+.)+[A-Z]([a-z])+$'])(
    'answers for %s and a long text that almost fits',
    (source) => {
      // One that backtracks would not be back within the age of the universe.
      expect(new SafeRegex(source).test('a'.repeat(8_000))).toBe(source === '(.*a){10}');
    },
  );

  it.each(['(', 'a**', '(?=a)', '(a)\\1', '[z-a]'])('%s is refused with the reason', (source) => {
    expect(() => new SafeRegex(source)).toThrow(/./);
  });

  it('is refused when it is small to write and large to run', () => {
    expect(() => new SafeRegex('a{900}b{900}c{900}d{900}e{900}f{900}')).toThrow(
      'larger than 5000 steps',
    );
  });
});
