import { describe, expect, it } from 'vitest';
import { CidrSet } from '../address/cidr-set.ts';
import { clientAddressOf, identityOf } from './client-identity.ts';

const trusted = new CidrSet([
  { network: '10.0.0.0/8', value: 1 },
  { network: '2001:db8::/32', value: 1 },
]);

const addressOf = (peer: string, forwarded: string | undefined): string =>
  clientAddressOf(identityOf(peer, 'http', trusted), forwarded);

describe('the address of a client', () => {
  it.each<[string, string | undefined, string, string]>([
    ['192.0.2.1', '198.51.100.1', '192.0.2.1', 'is that of a peer that is not trusted'],
    ['10.0.0.1', undefined, '10.0.0.1', 'is that of the peer when nobody says anything else'],
    ['10.0.0.1', '198.51.100.1', '198.51.100.1', 'is what a trusted peer says'],
    [
      '10.0.0.1',
      '1.1.1.1, 198.51.100.1, 10.0.0.2',
      '198.51.100.1',
      'is the last that is untrusted',
    ],
    ['10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3', 'is the first when all are trusted'],
    ['10.0.0.1', '198.51.100.1, unknown, 10.0.0.2', '10.0.0.2', 'stops at what is no address'],
    ['10.0.0.1', '198.51.100.1:4711', '198.51.100.1', 'has no port'],
    ['2001:db8::1', '[2001:db9::7]:80, 2001:db8::2', '2001:db9::7', 'may be one of IPv6'],
    ['::ffff:10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1', 'is plain where it is mapped'],
    ['10.0.0.1', '', '10.0.0.1', 'is that of the peer for an empty field'],
  ])('behind %s with %j is %s: it %s', (peer, forwarded, expected) => {
    expect(addressOf(peer, forwarded)).toBe(expected);
  });
});
