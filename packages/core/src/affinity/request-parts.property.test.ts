import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cookieValue, cookieValues, pathOf, queryValue } from './request-parts.ts';

const RUN = { seed: 20_300_103, numRuns: 1_000 } as const;

/** Cookie headers as hostile clients write them: the characters that mean something, and some that do not. */
const header = fc.string({ unit: fc.constantFrom('a', 'b', '=', ';', ' ', '"', ',', '\t', 'é') });

/** The same in the plainest way. */
function naiveValues(text: string, name: string): string[] {
  return text.split(';').flatMap((pair) => {
    const [key = '', ...rest] = pair.split('=');
    if (rest.length === 0 || key.trim() !== name) return [];
    const value = rest.join('=').trim();
    return /^".*"$/s.test(value) && value.length > 1 ? [value.slice(1, -1)] : [value];
  });
}

describe('cookieValues', () => {
  it('finds what a plain split finds, in any text', () => {
    fc.assert(
      fc.property(
        header,
        fc.constantFrom('a', 'b', 'ab'),
        fc.integer({ min: 1, max: 4 }),
        (...given) => {
          const [text, name, limit] = given;
          expect(cookieValues(text, name, limit)).toEqual(naiveValues(text, name).slice(0, limit));
          expect(cookieValue(text, name)).toBe(naiveValues(text, name)[0]);
        },
      ),
      RUN,
    );
  });

  it.each([
    ['sid=abc', ['abc']],
    ['a=b; sid=abc; sid=second', ['abc', 'second']],
    ['a=b;sid="quoted"', ['quoted']],
    ['sid=a=b', ['a=b']],
    ['sid=a,b', ['a,b']],
    ['sid="', ['"']],
    ['sid=', ['']],
    ['SID=abc', []],
    ['xsid=abc', []],
    ['sid', []],
    ['sid; =x; ;;', []],
    ['', []],
    [undefined, []],
  ])('%j', (text, expected) => {
    expect(cookieValues(text, 'sid', 9)).toEqual(expected);
  });

  it('goes once through a header of a megabyte without a single pair', () => {
    // Searched to its end for each part, this would be 10^12 steps.
    expect(cookieValues(`${';'.repeat(1_000_000)}=`, 'sid', 9)).toEqual([]);
    expect(cookieValues(`${'='.repeat(1_000_000)};sid=1`, 'sid', 9)).toEqual(['1']);
  });
});

describe('queryValue', () => {
  it.each([
    ['/x?user=a%20b&user=c', 'a b'],
    ['/x?user=a+b', 'a b'],
    ['/x?other=1&user=', ''],
    ['/x?users=1', undefined],
    ['/x?user=1#user=2', '1'],
    ['/x#?user=1', '1'],
    ['/x', undefined],
    ['/x?user=%zz', '%zz'],
    ['', undefined],
  ])('of %j', (target, expected) => {
    expect(queryValue(target, 'user')).toBe(expected);
  });

  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme' }),
        (name, value) => {
          const target = `/p?${new URLSearchParams([[name, value]]).toString()}`;
          expect(queryValue(target, name)).toBe(value);
        },
      ),
      RUN,
    );
  });
});

describe('pathOf', () => {
  it.each([
    ['/v1/me?x=1', '/v1/me'],
    ['/v1/me', '/v1/me'],
    ['/#top', '/'],
    ['*', '*'],
  ])('of %j', (target, expected) => {
    expect(pathOf(target)).toBe(expected);
  });
});
