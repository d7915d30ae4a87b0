/** Which VIP takes a packet: addresses and prefixes, ports and protocols, in their order. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder, Vip } from '../index.ts';
import { parseAddress } from './address.ts';
import { openForTest, realIn, send, stayOnOneCpu } from './test-support/opened.ts';
import { frame, type FrameOptions } from './test-support/packets.ts';
import { parseVip } from './vip.ts';

const { path } = requireComponent('bpf');

/** One real for each VIP, so that the outer destination tells which VIP it was. */
const LADDER4: readonly (readonly [Vip, string])[] = [
  [{ address: '10.200.1.1', port: 80, protocol: 'tcp' }, '10.0.0.1'],
  [{ address: '10.200.1.1', port: 'any', protocol: 'tcp' }, '10.0.0.2'],
  [{ address: '10.200.1.1', port: 80, protocol: 'any' }, '10.0.0.3'],
  [{ address: '10.200.1.1', port: 'any', protocol: 'any' }, '10.0.0.4'],
  [{ address: '10.200.1.0/24', port: 80, protocol: 'tcp' }, '10.0.0.5'],
  [{ address: '10.200.0.0/16', port: 80, protocol: 'tcp' }, '10.0.0.6'],
  [{ address: '10.200.0.0/16', port: 'any', protocol: 'tcp' }, '10.0.0.7'],
  [{ address: '10.200.0.0/16', port: 80, protocol: 'any' }, '10.0.0.8'],
  [{ address: '10.200.0.0/15', port: 'any', protocol: 'any' }, '10.0.0.9'],
];
const IN6: Readonly<Record<string, string>> = {
  '10.200.1.1': 'fc00:1:1::1',
  '10.200.1.0/24': 'fc00:1:1::/48',
  '10.200.0.0/16': 'fc00:1::/32',
  '10.200.0.0/15': 'fc00::/31',
};
const LADDER6 = LADDER4.map(
  ([vip, real]) => [{ ...vip, address: IN6[vip.address]! } as Vip, real] as const,
);

type Case = readonly [
  destination: readonly [string, string],
  port: number,
  protocol: 'tcp' | 'udp' | number,
  real: string | undefined,
];
const ONE = ['10.200.1.1', 'fc00:1:1::1'] as const;
const NEAR = ['10.200.1.9', 'fc00:1:1::9'] as const;
const FAR = ['10.200.9.9', 'fc00:1:9::9'] as const;
const FARTHER = ['10.201.9.9', 'fc00:0:9::9'] as const;
const NOBODY = ['10.202.0.1', 'fc01::1'] as const;
const CASES: readonly Case[] = [
  [ONE, 80, 'tcp', '10.0.0.1'],
  [ONE, 81, 'tcp', '10.0.0.2'],
  [ONE, 80, 'udp', '10.0.0.3'],
  [ONE, 81, 'udp', '10.0.0.4'],
  [ONE, 0, 47, '10.0.0.4'],
  [NEAR, 80, 'tcp', '10.0.0.5'],
  [NEAR, 81, 'tcp', '10.0.0.7'],
  [NEAR, 80, 'udp', '10.0.0.8'],
  [FAR, 80, 'tcp', '10.0.0.6'],
  [FAR, 81, 'udp', '10.0.0.9'],
  [FAR, 0, 50, '10.0.0.9'],
  [FARTHER, 80, 'tcp', '10.0.0.9'],
  [NOBODY, 80, 'tcp', undefined],
  [NOBODY, 0, 47, undefined],
];

const hexOf = (address: string): string => {
  const { bytes, family } = parseAddress(address, 'address');
  return Buffer.from(bytes.subarray(0, family === 4 ? 4 : 16)).toString('hex');
};

describe.skipIf(path === undefined)('the VIP of a packet', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());

  for (const [family, ladder, source] of [
    [0, LADDER4, '198.51.100.7'],
    [1, LADDER6, '2001:db8::7'],
  ] as const) {
    const name = family === 0 ? 'IPv4' : 'IPv6';

    it(`is the first on the ladder that fits: ${name}`, () => {
      forwarder = openForTest();
      for (const [vip, real] of ladder) forwarder.addVip(vip, [{ address: real }]);
      for (const [destinations, port, protocol, real] of CASES) {
        const destination = destinations[family];
        const options: FrameOptions = {
          ...{ source, destination, protocol, destinationPort: port },
          payload: Buffer.alloc(20),
        };
        // By the ring and by the cache.
        for (const turn of [0, 1]) {
          const { verdict, data } = send(forwarder, frame(options));
          const got = verdict === 'tx' ? realIn(data) : verdict;
          const expected = real === undefined ? 'pass' : hexOf(real);
          expect({ destination, port, protocol, turn, got }).toEqual({
            ...{ destination, port, protocol, turn },
            got: expected,
          });
        }
        if (typeof protocol === 'number') continue;
        const flow = { source, sourcePort: 40_000, destination, destinationPort: port, protocol };
        expect(forwarder.realOf(flow)).toBe(real);
        const [vip] = ladder.find(([, one]) => one === real) ?? [];
        expect(forwarder.placeOf(flow)?.vip).toBe(vip && parseVip(vip).name);
      }
    });

    it(`goes down the ladder as its VIPs are removed: ${name}`, () => {
      forwarder = openForTest();
      for (const [vip, real] of ladder) forwarder.addVip(vip, [{ address: real }]);
      const input = frame({ source, destination: ONE[family], destinationPort: 80 });
      // Those that take TCP to this address and port, from the first to the last.
      for (const [vip, real] of ladder) {
        const { verdict, data } = send(forwarder, input);
        expect(verdict).toBe('tx');
        expect(realIn(data)).toBe(hexOf(real));
        forwarder.removeVip(vip);
      }
      expect(send(forwarder, input)).toEqual({ verdict: 'pass', data: input });
    });
  }

  it('finds each of many VIPs, those included that their bucket has no room for', () => {
    forwarder = openForTest({ maxRings: 600 });
    const real = [{ address: '10.0.0.1' }];
    const vips = Array.from({ length: 600 }, (_, index): Vip => ({
      address: `10.200.${index >> 8}.${index & 255}`,
      port: 80,
      protocol: 'tcp',
    }));
    for (const vip of vips) forwarder.addVip(vip, real);
    const verdictOf = (vip: Vip): string | undefined =>
      send(forwarder, frame({ source: '198.51.100.7', destination: vip.address })).verdict;
    expect(new Set(vips.map(verdictOf))).toEqual(new Set(['tx']));
    const [gone, left] = [
      vips.filter((_, at) => at % 2 === 0),
      vips.filter((_, at) => at % 2 === 1),
    ];
    for (const vip of gone) forwarder.removeVip(vip);
    expect(new Set(gone.map(verdictOf))).toEqual(new Set(['pass']));
    expect(new Set(left.map(verdictOf))).toEqual(new Set(['tx']));
    for (const vip of gone) forwarder.addVip(vip, real);
    expect(new Set(vips.map(verdictOf))).toEqual(new Set(['tx']));
  }, 60_000);

  it('finds those that share a bucket, however many they are', () => {
    forwarder = openForTest();
    // The bucket of an IPv4 VIP, as `bpf/lookup.h` has it: the upper ten bits of its tag times a number.
    const bucketOf = (last: number): bigint => {
      const tag =
        (6n << 48n) |
        (0x5000n << 32n) |
        BigInt(Buffer.from([10, 200, last >> 8, last & 255]).readUInt32LE(0));
      return BigInt.asUintN(64, tag * 0x9e37_79b9_7f4a_7c15n) >> 54n;
    };
    const together = Array.from({ length: 65_536 }, (_, last) => last)
      .filter((last) => bucketOf(last) === bucketOf(0))
      .slice(0, 7);
    const vips = together.map((last): Vip => ({
      address: `10.200.${last >> 8}.${last & 255}`,
      port: 80,
      protocol: 'tcp',
    }));
    const realsFound = (): string[] =>
      vips.map(({ address }) => {
        const { verdict, data } = send(
          forwarder,
          frame({ source: '198.51.100.7', destination: address }),
        );
        return verdict === 'tx' ? realIn(data) : String(verdict);
      });
    vips.forEach((vip, index) => forwarder.addVip(vip, [{ address: `10.0.0.${index + 1}` }]));
    const expected = vips.map((_, index) => `0a00000${index + 1}`);
    expect(realsFound()).toEqual(expected);
    for (const index of [1, 5]) forwarder.removeVip(vips[index]!);
    expect(realsFound()).toEqual(
      expected.map((real, at) => (at === 1 || at === 5 ? 'pass' : real)),
    );
    forwarder.addVip(vips[5]!, [{ address: '10.0.0.6' }]);
    forwarder.updateReals(vips[6]!, [{ address: '10.0.0.9' }]);
    expect(realsFound()).toEqual([
      ...expected.slice(0, 1),
      'pass',
      ...expected.slice(2, 6),
      '0a000009',
    ]);
  });

  it('is refused when there is no room for its ring, and the others go on', () => {
    forwarder = openForTest({ maxRings: 2 });
    const vip = (port: number): Vip => ({ address: '10.200.1.1', port, protocol: 'tcp' });
    forwarder.addVip(vip(1), []);
    forwarder.addVip(vip(2), [{ address: '10.0.0.1' }]);
    expect(() => forwarder.addVip(vip(3), [])).toThrow('maxRings');
    // Replacing a ring takes a spare slot, however often.
    for (let turn = 0; turn < 30; turn += 1) {
      expect(forwarder.updateReals(vip(2), [{ address: `10.0.0.${turn + 2}` }])).toBe(true);
    }
    const { data } = send(
      forwarder,
      frame({ source: '198.51.100.7', destination: '10.200.1.1', destinationPort: 2 }),
    );
    expect(realIn(data)).toBe(hexOf('10.0.0.31'));
    forwarder.removeVip(vip(1));
    forwarder.addVip(vip(3), []);
  });

  it.each<[string, Vip, string]>([
    ['bits behind a prefix', { address: '10.0.0.1/8', port: 80, protocol: 'tcp' }, 'vip.address'],
    ['a prefix too long', { address: '10.0.0.0/33', port: 80, protocol: 'tcp' }, '0 to 32'],
    ['a port', { address: '10.0.0.1', port: 65_536, protocol: 'tcp' }, '1 to 65535'],
    ['a protocol', { address: '10.0.0.1', port: 80, protocol: 'sctp' as 'tcp' }, 'vip.protocol'],
  ])('is refused for %s', (_what, vip, message) => {
    forwarder = openForTest();
    expect(() => forwarder.addVip(vip, [])).toThrow(message);
  });
});
