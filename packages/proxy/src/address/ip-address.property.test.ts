import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskAddress, readAddress } from './ip-address.ts';

const SEED = 20_231;
const words = new Uint32Array(4);

const read = (text: string): number[] => [...words.subarray(0, readAddress(text, words))];

describe('readAddress', () => {
  it.each([
    ['10.1.2.3', [0x0a010203]],
    ['255.255.255.255', [0xffffffff]],
    ['::', [0, 0, 0, 0]],
    ['::1', [0, 0, 0, 1]],
    ['2001:db8::ff:1', [0x20010db8, 0, 0, 0x00ff0001]],
    ['1:2:3:4:5:6:7:8', [0x00010002, 0x00030004, 0x00050006, 0x00070008]],
    ['fe80::1%eth0', [0xfe800000, 0, 0, 1]],
    ['64:ff9b::192.0.2.33', [0x0064ff9b, 0, 0, 0xc0000221]],
    // The same client as by IPv4, in all its spellings.
    ['::ffff:10.1.2.3', [0x0a010203]],
    ['::FFFF:0a01:0203', [0x0a010203]],
    ['', []],
    ['10.1.2', []],
    ['10.1.2.256', []],
    ['01.2.3.4', []],
    ['::1::', []],
    ['a.example', []],
  ])('%s', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it('reads what a URL writes of any address of IPv6', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((group) => group.toString(16)).join(':');
        const short = new URL(`http://[${long}]/`).hostname.slice(1, -1);
        expect(read(short)).toEqual(read(long));
      }),
      { seed: SEED },
    );
  });
});

describe('maskAddress', () => {
  it('keeps the first bits', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.nat(128), (text, bits) => {
        const width = readAddress(text, words);
        fc.pre(width === 4);
        const number = [...words].reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
        maskAddress(words, width, bits);
        const masked = [...words].reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
        const shift = BigInt(128 - bits);
        expect(masked).toBe((number >> shift) << shift);
      }),
      { seed: SEED },
    );
  });
});
