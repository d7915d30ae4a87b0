import { describe, expect, it } from 'vitest';
import { clientPrefix } from './client-prefix.ts';

describe('a client', () => {
  it.each([
    ['2001:db8::1', '2001:db8::ffff:2', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['fe80::1%eth0', 'fe80::2', true],
    ['::1', '::2', true],
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['no address', 'no address', true],
    ['no address', 'another', false],
  ])('with %s is the one with %s: %s', (one, other, isSame) => {
    expect(clientPrefix(one) === clientPrefix(other)).toBe(isSame);
  });

  it('is as wide as it is said to be', () => {
    const prefixes = { ipv4Bits: 24, ipv6Bits: 48 };
    expect(clientPrefix('10.0.0.1', prefixes)).toBe(clientPrefix('10.0.0.2', prefixes));
    expect(clientPrefix('10.0.1.1', prefixes)).not.toBe(clientPrefix('10.0.0.1', prefixes));
    expect(clientPrefix('2001:db8:0:1::', prefixes)).toBe(clientPrefix('2001:db8::', prefixes));
  });
});
