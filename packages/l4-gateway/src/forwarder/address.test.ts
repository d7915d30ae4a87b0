import { describe, expect, it } from 'vitest';
import { parseAddress, parseMac } from './address.ts';

describe('an address', () => {
  it.each([
    ['10.0.0.1', 4, '10.0.0.1', '0a000001000000000000000000000000'],
    ['255.255.255.255', 4, '255.255.255.255', 'ffffffff000000000000000000000000'],
    ['::', 6, '::', '00000000000000000000000000000000'],
    ['::1', 6, '::1', '00000000000000000000000000000001'],
    ['100::', 6, '100::', '01000000000000000000000000000000'],
    ['2001:DB8:0:0:0:0:0:7', 6, '2001:db8::7', '20010db8000000000000000000000007'],
    ['fe80:1:2:3:4:5:6:7', 6, 'fe80:1:2:3:4:5:6:7', 'fe800001000200030004000500060007'],
  ])('%s', (text, family, canonical, hex) => {
    const address = parseAddress(text, 'address');
    expect({ ...address, bytes: Buffer.from(address.bytes).toString('hex') }).toEqual({
      text: canonical,
      family,
      bytes: hex,
    });
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    'real.example',
    '1.2.3.4/8',
  ])('is not %j', (text) => {
    expect(() => parseAddress(text, 'vip.address')).toThrow('vip.address: expected');
  });
});

describe('an Ethernet address', () => {
  it('is six bytes', () => {
    expect([...parseMac('02:00:0a:FF:00:01', 'nextHop')]).toEqual([2, 0, 10, 255, 0, 1]);
  });

  it.each(['', '02:00:00:00:00', '02-00-00-00-00-01', 'ff:ff:ff:ff:ff:ff'])('is not %j', (text) => {
    expect(() => parseMac(text, 'nextHop')).toThrow('nextHop: expected');
  });
});
