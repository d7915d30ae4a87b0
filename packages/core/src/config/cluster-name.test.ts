import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterNameSchema } from './cluster-name.ts';

const accepts = (name: unknown): boolean => clusterNameSchema.safeParse(name).success;

describe('the name of a cluster', () => {
  it.each([
    'users',
    'u',
    'users-v2',
    '2fa',
    'users.prod.internal',
    'a'.repeat(63),
    'v1.x1',
    'a--b',
    '0x1.users',
  ])('may be %s', (name) => {
    expect(accepts(name)).toBe(true);
  });

  it.each([
    '',
    'Users',
    '-users',
    'users-',
    'us_ers',
    'us ers',
    'users.',
    '.users',
    'a..b',
    'ü',
    'a'.repeat(64),
    `${'a.'.repeat(126)}aa`, // 254 characters
    '10',
    'users.10',
    '10.0.0.1',
    '0x7f',
    'users.0x7f',
    'users.0x',
    'xn--abc',
    'a.xn--abc',
    'users\n',
    '[::1]',
    'users:80',
    7,
    undefined,
  ])('may not be %j', (name) => {
    expect(accepts(name)).toBe(false);
  });

  it('is the host of a URL unchanged, whatever name is accepted', () => {
    const pieces = fc.constantFrom('a', 'z', '0', '9', '-', '.', 'x', 'xn--', '0x', 'f', 'users');
    const names = fc.array(pieces, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(names.filter(accepts), (name) => {
        expect(new URL(`http://${name}/path`).hostname).toBe(name);
      }),
      { seed: 20_302, numRuns: 2000 },
    );
  });
});
