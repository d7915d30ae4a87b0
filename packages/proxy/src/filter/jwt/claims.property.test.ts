import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimFault,
  claimOf,
  type ClaimRules,
  type Claims,
  claimText,
  scopesOf,
} from './claims.ts';

const RULES: ClaimRules = {
  issuer: ['https://issuer.example'],
  audience: ['api', 'web'],
  requiredClaims: ['exp'],
  clockToleranceMs: 5_000,
};
const NOW_MS = 1_700_000_000_000;
const NOW = NOW_MS / 1_000;
const GOOD: Claims = { iss: 'https://issuer.example', aud: 'api', exp: NOW + 60, sub: 'jo' };

describe('claimFault', () => {
  it.each<[Claims, string | undefined]>([
    [GOOD, undefined],
    [{ ...GOOD, aud: ['other', 'web'] }, undefined],
    [{ ...GOOD, exp: NOW - 4 }, undefined],
    [{ ...GOOD, exp: NOW - 5 }, 'The token has expired'],
    [{ ...GOOD, nbf: NOW + 5 }, undefined],
    [{ ...GOOD, nbf: NOW + 5.001 }, 'The token is not valid yet'],
    [{ ...GOOD, exp: undefined }, 'The token has no claim exp'],
    [{ ...GOOD, exp: String(NOW + 60) }, 'The token has no valid times'],
    [{ ...GOOD, exp: null }, 'The token has no valid times'],
    [{ ...GOOD, nbf: [NOW] }, 'The token has no valid times'],
    [{ ...GOOD, iss: 'https://evil.example' }, 'The token is of another issuer'],
    [{ ...GOOD, iss: ['https://issuer.example'] }, 'The token is of another issuer'],
    [{ ...GOOD, iss: undefined }, 'The token is of another issuer'],
    [{ ...GOOD, aud: undefined }, 'The token is for another audience'],
    [{ ...GOOD, aud: [] }, 'The token is for another audience'],
    [{ ...GOOD, aud: { 0: 'api' } }, 'The token is for another audience'],
  ])('%j: %s', (claims, expected) => {
    expect(claimFault(claims, RULES, NOW_MS)).toBe(expected);
  });

  it('never throws, and lets nothing in whose issuer is not on the list', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('iss', 'aud', 'exp', 'nbf', 'x'), fc.jsonValue()),
        (claims) => {
          const fault = claimFault(claims, RULES, NOW_MS);
          if (claims['iss'] !== RULES.issuer[0]) expect(fault).toBeDefined();
        },
      ),
      { seed: 20_239 },
    );
  });
});

describe('claims', () => {
  const claims = JSON.parse(
    '{"sub":"jo","a":{"b":{"c":1}},"a.b":"dotted","roles":["x","y"],"deep":[{"z":1}],"__proto__":{"admin":true}}',
  ) as Claims;

  it.each([
    ['sub', 'jo'],
    ['a.b', 'dotted'],
    ['a.b.c', '1'],
    ['roles', 'x,y'],
    ['deep', undefined],
    ['a', undefined],
    ['missing', undefined],
    ['constructor', undefined],
    ['sub.length', undefined],
    ['admin', undefined],
  ])('%s as a text: %s', (path, expected) => {
    expect(claimText(claimOf(claims, path))).toBe(expected);
  });

  it('have scopes in either form', () => {
    expect(scopesOf({ scope: 'a b' })).toEqual(['a', 'b']);
    expect(scopesOf({ scp: ['a', 1, 'c'] })).toEqual(['a', 'c']);
    expect(scopesOf({ scp: 'a b' })).toEqual(['a', 'b']);
    expect(scopesOf({ scope: { a: 1 } })).toEqual([]);
  });
});
