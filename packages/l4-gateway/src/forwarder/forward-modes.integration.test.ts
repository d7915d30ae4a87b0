/** Packet in, packet out, byte for byte, in the real kernel: GUE, GRE, IP in IP with VLAN tags, and layer 2. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { ForwardMode, Real, Vip } from '../index.ts';
import { openForTest, send, stayOnOneCpu } from './test-support/opened.ts';
import { forwarded, tagged } from './test-support/outer-frames.ts';
import { checksum, frame, type FrameOptions } from './test-support/packets.ts';

const isMissing = requireComponent('bpf').path === undefined;

const FROM = {
  4: { source: '198.51.100.7', destination: '10.200.1.1' },
  6: { source: '2001:db8::7', destination: 'fc00:1::1' },
} as const;
const REALS = { 4: '10.0.0.11', 6: 'fc00:2::b' } as const;
const STATION = '02:00:00:00:00:77';
const MODES = ['ipip', 'gue', 'gre', 'l2'] as const;
const FAMILIES = [4, 6] as const;
const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7) & 255);

/** A port for each way of forwarding and family of the real. */
const portOf = (mode: (typeof MODES)[number], real: 4 | 6): number =>
  80 + 2 * MODES.indexOf(mode) + (real === 6 ? 1 : 0);

function openAll() {
  const forwarder = openForTest();
  for (const family of FAMILIES) {
    for (const protocol of ['tcp', 'udp'] as const) {
      for (const mode of MODES) {
        for (const real of FAMILIES) {
          const vip: Vip = {
            address: FROM[family].destination,
            port: portOf(mode, real),
            protocol,
          };
          const station = mode === 'l2' ? { nextHop: STATION } : {};
          forwarder.addVip(vip, [{ address: REALS[real], ...station }], { forward: mode });
        }
      }
    }
  }
  return forwarder;
}

describe.skipIf(isMissing)('a way of forwarding', () => {
  const forwarder = isMissing ? undefined : openAll();
  beforeAll(stayOnOneCpu);
  afterAll(() => forwarder?.close());

  const shapes: [string, Partial<FrameOptions>][] = [
    ['an acknowledgement', {}],
    ['a SYN', { tcpFlags: 2 }],
    ['padding', { padding: 6 }],
    ['payload', { payload: bytes(200) }],
    ['an odd length', { payload: bytes(77) }],
    ['a traffic class', { trafficClass: 0xb9 }],
    ['congestion experienced', { trafficClass: 0x03 }],
    ['the highest port', { sourcePort: 65_535 }],
    ['another port', { sourcePort: 4_321 }],
  ];
  const cases = MODES.flatMap((mode) =>
    FAMILIES.flatMap((inner) =>
      FAMILIES.flatMap((outer) =>
        (['tcp', 'udp'] as const).flatMap((protocol) =>
          shapes.map(([what, shape]) => ({ mode, inner, outer, protocol, what, shape })),
        ),
      ),
    ),
  );

  it.each(cases)('$mode, $inner to $outer: $protocol with $what', (one) => {
    const { mode, inner, outer, protocol, shape } = one;
    const options: FrameOptions = {
      ...FROM[inner],
      protocol,
      destinationPort: portOf(mode, outer),
      ...shape,
    };
    const outside = { mode, real: REALS[outer], ...(mode === 'l2' ? { nextHop: STATION } : {}) };
    for (const input of [frame(options), tagged(frame(options))]) {
      // By the ring, then by the cache.
      for (const turn of ['ring', 'cache']) {
        const { verdict, data } = send(forwarder!, input);
        expect({ turn, verdict, data: data.toString('hex') }).toEqual({
          turn,
          verdict: 'tx',
          data: forwarded(input, outside).toString('hex'),
        });
      }
    }
  });

  it.each(FAMILIES)('UDP without a checksum gets none outside: IPv%i', (outer) => {
    const input = frame({
      ...FROM[4],
      protocol: 'udp',
      destinationPort: portOf('gue', outer),
      payload: bytes(31),
    });
    input.writeUInt16BE(0, 40);
    const { data } = send(forwarder!, input);
    expect(data.toString('hex')).toBe(
      forwarded(input, { mode: 'gue', real: REALS[outer] }).toString('hex'),
    );
    expect(data.readUInt16BE(outer === 4 ? 40 : 60)).toBe(0);
  });

  it('has a right outer checksum whatever is inside', () => {
    const address = fc.ipV4();
    const inside = fc.record({
      source: address,
      sourcePort: fc.integer({ min: 1, max: 65_535 }),
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      payload: fc.uint8Array({ maxLength: 90 }),
      trafficClass: fc.integer({ min: 0, max: 255 }),
    });
    const check = fc.property(inside, (options) => {
      const destinationPort = portOf('gue', 6);
      const input = frame({ ...options, destination: FROM[4].destination, destinationPort });
      const { verdict, data } = send(forwarder!, input);
      expect(verdict).toBe('tx');
      const udp = data.subarray(54);
      const pseudo = Buffer.from([0, 17, udp.length >> 8, udp.length & 0xff]);
      expect(checksum(data.subarray(22, 54), pseudo, udp)).toBe(0);
    });
    fc.assert(check, { seed: 23, numRuns: 500 });
  });

  it('varies the outer ports of GUE with the flow, in the dynamic range', () => {
    const ports = new Set(
      Array.from({ length: 64 }, (_, index) => {
        const destinationPort = portOf('gue', 4);
        const input = frame({ ...FROM[4], destinationPort, sourcePort: 20_000 + index });
        const port = send(forwarder!, input).data.readUInt16BE(34);
        expect(port).toBeGreaterThanOrEqual(49_152);
        return port;
      }),
    );
    expect(ports.size).toBeGreaterThan(55);
  });

  it.each([
    ['ipip', 4, 1_480],
    ['ipip', 6, 1_460],
    ['gre', 4, 1_476],
    ['gre', 6, 1_456],
    ['gue', 4, 1_472],
    ['gue', 6, 1_452],
    ['l2', 4, 1_500],
  ] as const)('%s to IPv%i takes %i bytes and no more', (mode, outer, largest) => {
    const of = (length: number) =>
      frame({ ...FROM[4], destinationPort: portOf(mode, outer), payload: bytes(length - 40) });
    expect(send(forwarder!, of(largest)).verdict).toBe('tx');
    const before = forwarder!.statistics().packets;
    const verdict = send(forwarder!, of(largest + 1)).verdict;
    const after = forwarder!.statistics().packets;
    // Without "don't fragment" nobody is told.
    expect(verdict).toBe('drop');
    expect(after.tooBig - before.tooBig).toBe(1n);
  });
});

describe.skipIf(isMissing)('the choice of a way', () => {
  const vip: Vip = { address: FROM[4].destination, port: 80, protocol: 'tcp' };
  const input = frame(FROM[4]);
  const open = () => openForTest({ nat: { addresses: ['10.201.1.1'] } });

  it('is that of the real before that of the VIP', () => {
    const forwarder = open();
    try {
      forwarder.addVip(vip, [{ address: REALS[4], forward: 'gre' }], { forward: 'gue' });
      expect(send(forwarder, input).data).toEqual(
        forwarded(input, { mode: 'gre', real: REALS[4] }),
      );
      // The same flow, by the cache, once the real is reached in another way.
      forwarder.updateReals(vip, [{ address: REALS[4] }]);
      expect(send(forwarder, input).data).toEqual(
        forwarded(input, { mode: 'gue', real: REALS[4] }),
      );
      forwarder.configureVip(vip, { forward: 'gue', guePort: 5_555 });
      expect(send(forwarder, input).data).toEqual(
        forwarded(input, { mode: 'gue', real: REALS[4], guePort: 5_555 }),
      );
      forwarder.configureVip(vip, {});
      expect(send(forwarder, input).data).toEqual(
        forwarded(input, { mode: 'ipip', real: REALS[4] }),
      );
    } finally {
      forwarder.close();
    }
  });

  it.each<[string, Real, Parameters<ReturnType<typeof open>['addVip']>[2], string]>([
    ['an unknown way', { address: REALS[4], forward: 'vxlan' as ForwardMode }, {}, 'forward'],
    ['an unknown way of the VIP', { address: REALS[4] }, { forward: 'x' as ForwardMode }, 'one of'],
    ['a port without NAT', { address: REALS[4], port: 8_080 }, {}, 'none unless'],
    ['a wrong port', { address: REALS[4], port: 0, forward: 'nat' }, {}, '1 to 65535'],
    ['a wrong GUE port', { address: REALS[4] }, { forward: 'gue', guePort: 70_000 }, 'guePort'],
    ['NAT to the other family', { address: REALS[6], forward: 'nat' }, {}, "VIP's family"],
    [
      'NAT with fragments',
      { address: REALS[4] },
      { forward: 'nat', fragments: 'three-tuple' },
      'without `fragments`',
    ],
  ])('is refused: %s', (_what, real, options, message) => {
    const forwarder = open();
    try {
      expect(() => forwarder.addVip(vip, [real], options)).toThrow(message);
      expect(send(forwarder, input).verdict).toBe('pass');
    } finally {
      forwarder.close();
    }
  });

  it('is refused: NAT without addresses of the family', () => {
    const forwarder = openForTest({ nat: { addresses: ['fd00:201::1'] } });
    try {
      const reals = [{ address: REALS[4] }];
      expect(() => forwarder.addVip(vip, reals, { forward: 'nat' })).toThrow('`nat.addresses`');
    } finally {
      forwarder.close();
    }
  });
});
