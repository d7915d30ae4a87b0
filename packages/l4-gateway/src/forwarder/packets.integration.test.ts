/** Packet in, verdict and packet out, in the real kernel: every protocol, encapsulation and reason to drop. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { PacketCounts } from '../index.ts';
import { openForTest, send, stayOnOneCpu } from './test-support/opened.ts';
import {
  checksum,
  CLIENT_MAC,
  encapsulated,
  ethernet,
  frame,
  type FrameOptions,
  GATEWAY_MAC,
  ip4,
  ip6,
  transport,
} from './test-support/packets.ts';

const { path } = requireComponent('bpf');
const isMissing = path === undefined;

const from4 = { source: '198.51.100.7', destination: '10.200.1.1' } as const;
const from6 = { source: '2001:db8::7', destination: 'fc00:1::1' } as const;
const REAL4 = '10.0.0.11';
const REAL6 = 'fc00:2::b';
const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7) & 255);

/** VIPs on both families, each port with one real, so that the packet that goes out is known whole. */
function openTable() {
  const forwarder = openForTest();
  for (const address of [from4.destination, from6.destination]) {
    for (const protocol of ['tcp', 'udp'] as const) {
      forwarder.addVip({ address, port: 80, protocol }, [{ address: REAL4 }]);
      forwarder.addVip({ address, port: 81, protocol }, [{ address: REAL6 }]);
    }
    forwarder.addVip({ address, port: 82, protocol: 'tcp' }, []);
  }
  return forwarder;
}

describe.skipIf(isMissing)('a packet for a VIP', () => {
  const forwarder = isMissing ? undefined : openTable();
  beforeAll(stayOnOneCpu);
  afterAll(() => forwarder?.close());

  const shapes: [string, Partial<FrameOptions>][] = [
    ['without payload', {}],
    ['with padding behind it', { padding: 6 }],
    ['with payload', { payload: bytes(100) }],
    ['of odd length', { payload: bytes(33) }],
    ['that fills the MTU', { payload: bytes(1_400) }],
    ['marked', { trafficClass: 0xb9 }],
    ['with congestion experienced', { trafficClass: 0x03 }],
    ['from the highest port', { sourcePort: 65_535 }],
    ['from the lowest port', { sourcePort: 1 }],
  ];
  const cases = [from4, from6].flatMap((addresses) =>
    (['tcp', 'udp'] as const).flatMap((protocol) =>
      [80, 81].flatMap((destinationPort) =>
        shapes.map(([what, shape]) => {
          const options: FrameOptions = { ...addresses, protocol, destinationPort, ...shape };
          const inner = addresses === from4 ? 'IPv4' : 'IPv6';
          const outer = destinationPort === 80 ? 'IPv4' : 'IPv6';
          return [`${protocol} on ${inner} ${what} in ${outer}`, options] as const;
        }),
      ),
    ),
  );

  it.each(cases)('%s leaves as the standards say', (_what, options) => {
    const input = frame(options);
    const expected = encapsulated(input, options.destinationPort === 80 ? REAL4 : REAL6);
    // The first time by the ring, the second time by the cache: the same packet.
    for (const turn of ['ring', 'cache']) {
      const before = forwarder!.statistics().packets.newFlow;
      const { verdict, data } = send(forwarder!, input);
      expect({ turn, verdict, data: data.toString('hex') }).toEqual({
        turn,
        verdict: 'tx',
        data: expected.toString('hex'),
      });
      if (data[12] === 0x08) expect(checksum(data.subarray(14, 34))).toBe(0);
      if (turn === 'cache') expect(forwarder!.statistics().packets.newFlow).toBe(before);
    }
  });

  it.each([
    ['SYN', 0x02],
    ['SYN and ACK', 0x12],
    ['FIN', 0x11],
    ['RST', 0x04],
    ['none', 0x00],
    ['all', 0xff],
  ])('goes out whatever its TCP flags: %s', (_what, tcpFlags) => {
    const input = frame({ ...from4, tcpFlags, sourcePort: 1_000 + tcpFlags });
    expect(send(forwarder!, input)).toEqual({ verdict: 'tx', data: encapsulated(input, REAL4) });
  });

  it('gets its outer source from its flow, so that receivers spread the load', () => {
    const sources = new Set(
      Array.from({ length: 64 }, (_, index) => {
        const { data } = send(forwarder!, frame({ ...from4, sourcePort: 20_000 + index }));
        return data.subarray(26, 30).toString('hex');
      }),
    );
    expect(sources.size).toBe(64);
  });

  it('is counted for its VIP and its real, with the bytes of the client', () => {
    const vip = { address: from4.destination, port: 80, protocol: 'tcp' } as const;
    const read = () => forwarder!.statistics().vips.find((entry) => entry.vip.port === 80)!;
    const before = read();
    for (let turn = 0; turn < 5; turn += 1) send(forwarder!, frame({ ...from4, padding: 6 }));
    const after = read();
    expect(after.vip).toEqual(vip);
    expect(after.packets - before.packets).toBe(5n);
    expect(after.bytes - before.bytes).toBe(5n * 40n);
    expect(after.reals[0]!.packets - before.reals[0]!.packets).toBe(5n);
  });
});

describe.skipIf(isMissing)('a packet that is not forwarded', () => {
  const forwarder = isMissing ? undefined : openTable();
  beforeAll(stayOnOneCpu);
  afterAll(() => forwarder?.close());

  /** Sends, and tells which counters moved. */
  function judge(input: Uint8Array): { verdict: string | undefined; counted: string[] } {
    const before = forwarder!.statistics().packets;
    const { verdict, data } = send(forwarder!, input);
    const after = forwarder!.statistics().packets;
    expect(data).toEqual(Buffer.from(input));
    const counted = (Object.keys(after) as (keyof PacketCounts)[]).filter(
      (name) => after[name] !== before[name],
    );
    return { verdict, counted };
  }

  const other4 = { ...from4, destination: '10.200.1.2' };
  const other6 = { ...from6, destination: 'fc00:1::2' };
  const extension = (next: number, to: { source: string; destination: string }): Buffer =>
    Buffer.concat([
      ethernet(0x86dd, GATEWAY_MAC, CLIENT_MAC),
      ip6({
        ...to,
        next,
        body: Buffer.concat([Buffer.from([6, 0, 0, 0, 0, 0, 0, 0]), transport(to)]),
      }),
    ]);
  const nop = Uint8Array.of(1, 1, 1, 1);

  it.each<[string, Buffer, string[]]>([
    ['another address', frame(other4), ['passedNoVip']],
    ['another IPv6 address', frame(other6), ['passedNoVip']],
    ['another port', frame({ ...from4, destinationPort: 443 }), ['passedNoVip']],
    ['another port of IPv6', frame({ ...from6, destinationPort: 443 }), ['passedNoVip']],
    [
      'another protocol',
      frame({ ...from4, protocol: 'udp', destinationPort: 82 }),
      ['passedNoVip'],
    ],
    ['ICMP of others', frame({ ...other4, protocol: 1, payload: bytes(16) }), []],
    ['ICMPv6 of others', frame({ ...other6, protocol: 58, payload: bytes(16) }), []],
    ['SCTP', frame({ ...from4, protocol: 132, payload: bytes(16) }), []],
    [
      'an ICMP fragment of others',
      frame({ ...other4, protocol: 1, payload: bytes(16), fragment: 0x2000 }),
      [],
    ],
    ['ARP', Buffer.concat([ethernet(0x0806, GATEWAY_MAC, CLIENT_MAC), Buffer.alloc(46)]), []],
    ['VLAN', Buffer.concat([ethernet(0x8100, GATEWAY_MAC, CLIENT_MAC), Buffer.alloc(46)]), []],
    ['a fragment of others', frame({ ...other4, fragment: 0x2000 }), []],
    ['an IPv6 fragment of others', extension(44, other6), []],
    ['options of others', frame({ ...other4, options: nop }), ['passedNoVip']],
    ['IPv6 options of others', extension(60, other6), ['passedNoVip']],
  ])('passes to the host: %s', (_what, input, counted) => {
    expect(judge(input)).toEqual({ verdict: 'pass', counted });
  });

  it.each<[string, Buffer, keyof PacketCounts]>([
    ['a first fragment', frame({ ...from4, fragment: 0x2000 }), 'fragment'],
    ['a later fragment', frame({ ...from4, fragment: 0x0010 }), 'fragment'],
    [
      'a fragment to another port',
      frame({ ...from4, destinationPort: 9, fragment: 1 }),
      'fragment',
    ],
    ['an IPv6 fragment', extension(44, from6), 'fragment'],
    [
      'an ICMP fragment',
      frame({ ...from4, protocol: 1, payload: bytes(16), fragment: 0x2000 }),
      'fragment',
    ],
    ['an ICMP echo reply', frame({ ...from4, protocol: 1, payload: bytes(16) }), 'icmpDropped'],
    ['ICMPv6 of type 0', frame({ ...from6, protocol: 58, payload: bytes(16) }), 'icmpDropped'],
    ['IPv4 options', frame({ ...from4, options: nop }), 'options'],
    ['hop-by-hop options', extension(0, from6), 'options'],
    ['a routing header', extension(43, from6), 'options'],
    ['an authentication header', extension(51, from6), 'options'],
    ['destination options', extension(60, from6), 'options'],
    ['a VIP without reals', frame({ ...from4, destinationPort: 82 }), 'noReal'],
    ['an IPv6 VIP without reals', frame({ ...from6, destinationPort: 82 }), 'noReal'],
    ['1481 bytes, one too many in IPv4', frame({ ...from4, payload: bytes(1_441) }), 'tooBig'],
    [
      '1461 bytes, one too many in IPv6',
      frame({ ...from4, payload: bytes(1_421), destinationPort: 81 }),
      'tooBig',
    ],
  ])('is dropped and counted: %s', (_what, input, reason) => {
    expect(judge(input)).toEqual({
      verdict: 'drop',
      counted: reason === 'tooBig' ? ['newFlow', reason] : [reason],
    });
  });

  it('passes the largest that fits', () => {
    const input = frame({ ...from4, payload: bytes(1_440) });
    expect(send(forwarder!, input).verdict).toBe('tx');
    expect(
      send(forwarder!, frame({ ...from4, payload: bytes(1_420), destinationPort: 81 })).verdict,
    ).toBe('tx');
  });

  const broken = (options: FrameOptions, change: (input: Buffer) => void): Buffer => {
    const input = frame(options);
    change(input);
    return input;
  };
  const udp4 = { ...from4, protocol: 'udp' } as const;
  const udp6 = { ...from6, protocol: 'udp' } as const;

  it.each<[string, Buffer, keyof PacketCounts]>([
    ['IP version 5', broken(from4, (input) => (input[14] = 0x55)), 'badHeader'],
    ['version 4 in an IPv6 frame', broken(from6, (input) => (input[14] = 0x40)), 'badHeader'],
    ['an IPv4 header of 16 bytes', broken(from4, (input) => (input[14] = 0x44)), 'badHeader'],
    [
      'a length below the header',
      broken(from4, (input) => input.writeUInt16BE(19, 16)),
      'badLength',
    ],
    [
      'a length beyond the frame',
      broken(from4, (input) => input.writeUInt16BE(41, 16)),
      'badLength',
    ],
    ['IPv6 beyond the frame', broken(from6, (input) => input.writeUInt16BE(21, 18)), 'badLength'],
    [
      'TCP cut by the IP length',
      broken(from4, (input) => input.writeUInt16BE(39, 16)),
      'badLength',
    ],
    [
      'TCP cut by the IPv6 length',
      broken(from6, (input) => input.writeUInt16BE(19, 18)),
      'badLength',
    ],
    ['a TCP header of 16 bytes', broken(from4, (input) => (input[46] = 0x40)), 'badHeader'],
    ['a TCP header beyond the packet', broken(from4, (input) => (input[46] = 0xf0)), 'badLength'],
    ['TCP of IPv6 beyond it', broken(from6, (input) => (input[66] = 0x60)), 'badLength'],
    ['a UDP length of 7', broken(udp4, (input) => input.writeUInt16BE(7, 38)), 'badLength'],
    ['a UDP length of 0', broken(udp4, (input) => input.writeUInt16BE(0, 38)), 'badLength'],
    [
      'a UDP length beyond the packet',
      broken(udp4, (input) => input.writeUInt16BE(9, 38)),
      'badLength',
    ],
    ['UDP of IPv6 beyond it', broken(udp6, (input) => input.writeUInt16BE(9, 58)), 'badLength'],
    ['UDP cut by the IP length', broken(udp4, (input) => input.writeUInt16BE(27, 16)), 'badLength'],
  ])('is dropped and counted when malformed: %s', (_what, input, reason) => {
    expect(judge(input)).toEqual({ verdict: 'drop', counted: [reason] });
  });

  it.each([
    ['IPv4 TCP', frame(from4)],
    ['IPv6 TCP', frame(from6)],
    ['IPv4 UDP', frame(udp4)],
    ['IPv6 UDP', frame(udp6)],
  ])('is dropped at every length at which it is cut: %s', (_what, whole) => {
    for (let length = 15; length < whole.length; length += 1) {
      const { verdict, counted } = judge(whole.subarray(0, length));
      const isInIp = length < (whole[12] === 0x08 ? 34 : 54);
      expect({ length, verdict, counted }).toEqual({
        length,
        verdict: 'drop',
        counted: [isInIp ? 'truncated' : 'badLength'],
      });
    }
  });

  it('never aborts and never leaves its rules, whatever the bytes', () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const seeds = [from4, from6, udp4, udp6].map((options) =>
      frame({ ...options, payload: bytes(20) }),
    );
    for (let turn = 0; turn < 3_000; turn += 1) {
      const input = Buffer.from(seeds[random(seeds.length)]!);
      for (let change = random(6); change >= 0; change -= 1)
        input[12 + random(input.length - 12)] = random(256);
      const { verdict, data } = send(forwarder!, input);
      expect(['drop', 'pass', 'tx']).toContain(verdict);
      if (verdict === 'tx')
        expect(data).toEqual(encapsulated(input, inPort(input) === 80 ? REAL4 : REAL6));
      else expect(data).toEqual(input);
    }
  });

  it('tells an IPv4 packet from one whose inner bytes are wrong in ways that do not matter here', () => {
    // Checksums are the reals' business: the inner packet goes through as it came.
    const input = Buffer.concat([
      ethernet(0x0800, GATEWAY_MAC, CLIENT_MAC),
      ip4({ ...from4, protocol: 6, body: transport(from4) }),
    ]);
    input[24] = (input[24] as number) ^ 0xff;
    expect(send(forwarder!, input)).toEqual({ verdict: 'tx', data: encapsulated(input, REAL4) });
  });
});

function inPort(input: Buffer): number {
  return input.readUInt16BE(input[12] === 0x08 ? 36 : 56);
}
