import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CidrEntry, CidrSet, isNetwork, networkKey } from './cidr-set.ts';
import { readAddress } from './ip-address.ts';

const SEED = 20_232;

interface Address {
  readonly width: number;
  readonly number: bigint;
}

function addressOf(text: string): Address {
  const words = new Uint32Array(4);
  const width = readAddress(text, words);
  const number = [...words.subarray(0, width)].reduce(
    (sum, word) => (sum << 32n) | BigInt(word),
    0n,
  );
  return { width, number };
}

/** The longest prefix, by trying all of them. */
function slowLookup(entries: readonly CidrEntry[], text: string): number {
  const { width, number } = addressOf(text);
  let best = { bits: -1, value: 0 };
  for (const { network, value } of entries) {
    const [address = '', length] = network.split('/');
    const of = addressOf(address);
    const bits = length === undefined ? of.width * 32 : Number(length);
    const shift = BigInt(of.width * 32 - bits);
    const fits = of.width === width && of.number >> shift === number >> shift;
    // Of two for the same network the last one counts.
    if (fits && bits >= best.bits) best = { bits, value };
  }
  return best.value;
}

/** Few networks, so that they nest and touch. */
const ipv4 = fc
  .tuple(fc.constantFrom(10, 11), fc.nat(2), fc.constantFrom(0, 127, 128, 255), fc.nat(255))
  .map((parts) => parts.join('.'));
const ipv6 = fc
  .tuple(fc.constantFrom('2001:db8', 'fe80:0'), fc.constantFrom('0', '1', 'ffff'), fc.nat(0xffff))
  .map(([head, middle, last]) => `${head}:${middle}::${last.toString(16)}`);
const address = fc.oneof(ipv4, ipv6);
const network = address.chain((text) =>
  fc.nat(isIP(text) === 4 ? 32 : 128).map((bits) => `${text}/${bits}`),
);

describe('a set of networks', () => {
  it('finds the longest prefix, as trying all of them does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ network, value: fc.integer({ min: 1, max: 5 }) }), { maxLength: 24 }),
        fc.array(address, { minLength: 1, maxLength: 20 }),
        (entries, asked) => {
          const set = new CidrSet(entries);
          for (const text of asked) expect(set.lookup(text)).toBe(slowLookup(entries, text));
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('knows the ends of networks', () => {
    const set = new CidrSet([
      { network: '10.1.0.0/16', value: 1 },
      { network: '0.0.0.0/8', value: 2 },
      { network: '255.255.255.255', value: 3 },
    ]);
    const found = [
      '10.0.255.255',
      '10.1.0.0',
      '10.1.255.255',
      '10.2.0.0',
      '0.0.0.0',
      '255.255.255.254',
      '255.255.255.255',
    ];
    expect(found.map((text) => set.lookup(text))).toEqual([0, 1, 1, 0, 2, 0, 3]);
  });

  it('keeps the families apart, and mapped addresses with theirs', () => {
    const set = new CidrSet([
      { network: '::/0', value: 6 },
      { network: '10.0.0.0/8', value: 4 },
      { network: '::ffff:172.16.0.0/108', value: 5 },
    ]);
    expect(set.lookup('192.0.2.1')).toBe(0);
    expect(set.lookup('::ffff:10.0.0.1')).toBe(4);
    expect(set.lookup('172.17.0.1')).toBe(5);
    expect(set.lookup('2001:db8::1')).toBe(6);
    expect(set.lookup('not an address')).toBe(0);
  });

  it('holds 100,000 networks', () => {
    const entries = Array.from({ length: 100_000 }, (_, at) => ({
      network: `10.${at >> 12}.${(at >> 4) & 255}.${(at & 15) << 4}/28`,
      value: at + 1,
    }));
    const set = new CidrSet(entries);
    expect(set.lookup('10.24.105.255')).toBe(0x18 * 4_096 + 0x69 * 16 + 15 + 1);
    expect(set.lookup('10.25.0.0')).toBe(0);
  });
});

describe('isNetwork', () => {
  it.each([
    ['10.0.0.0/8', true],
    ['10.0.0.1', true],
    ['2001:db8::/32', true],
    ['::/0', true],
    ['10.0.0.0/33', false],
    ['::/129', false],
    ['10.0.0.0/', false],
    ['10.0.0.0/8/8', false],
    ['10.0.0.0/-1', false],
    ['10.0.0/8', false],
    ['fe80::1%eth0', false],
    ['example.com', false],
    ['', false],
  ])('%j: %s', (text, expected) => {
    expect(isNetwork(text)).toBe(expected);
  });
});

describe('networkKey', () => {
  it('is the same for all ways to write a network', () => {
    expect(networkKey('10.1.2.3/8')).toBe(networkKey('10.0.0.0/8'));
    expect(networkKey('::ffff:10.0.0.0/104')).toBe(networkKey('10.0.0.0/8'));
    expect(networkKey('2001:DB8:0::/32')).toBe(networkKey('2001:db8::/32'));
    expect(networkKey('10.0.0.0/8')).not.toBe(networkKey('10.0.0.0/9'));
  });
});
