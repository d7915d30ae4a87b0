/** Encapsulated packet in, verdict and packet out, in the real kernel: what a real accepts from its gateways. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import { parsePrefix } from '../forwarder/prefix.ts';
import { stayOnOneCpu, VERDICTS } from '../forwarder/test-support/opened.ts';
import { ethernet, frame, type FrameOptions } from '../forwarder/test-support/packets.ts';
import { type DecapsulationCounts, Decapsulator } from './decapsulator.ts';
import {
  delivered,
  type Tunnel,
  tunnelled,
  type TunnelOptions,
  withEcn,
} from './test-support/tunnels.ts';

const isMissing = requireComponent('bpf').path === undefined;

const OUTER = {
  4: { source: '172.16.9.9', destination: '10.3.1.2' },
  6: { source: '100::abcd', destination: 'fc00:3::2' },
} as const;
const INNER = {
  4: { source: '198.51.100.7', destination: '10.200.1.1' },
  6: { source: '2001:db8::7', destination: 'fc00:1::1' },
} as const;
const TUNNELS: readonly Tunnel[] = ['ipip', 'gue', 'gue0', 'gre'];
const FAMILIES = [4, 6] as const;
const PAIRS = FAMILIES.flatMap((outer) => FAMILIES.map((inner) => [outer, inner] as const));

/** To the next program, and in the end to the host. */
const TC_NEXT = -1;

const prefixes = (...texts: string[]) => texts.map((text) => parsePrefix(text, 'test'));
const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 11) & 255);
/** Without Ethernet. */
const packet = (options: FrameOptions): Buffer => frame(options).subarray(14);

function open(changes: { guePort?: number; encapsulations?: ('ipip' | 'gue' | 'gre')[] } = {}) {
  return new Decapsulator({
    vips: prefixes('10.200.1.1', 'fc00:1::1', '10.201.0.0/24', 'fc00:1:1::/64'),
    gateways: prefixes('172.16.0.0/16', '100::/96'),
    addresses: prefixes('10.3.1.2', 'fc00:3::2'),
    encapsulations: ['ipip', 'gue', 'gre'],
    guePort: 6_080,
    largestMss: { ipv4: 0, ipv6: 0 },
    ...changes,
  });
}

describe.skipIf(isMissing)('decapsulation', () => {
  const decapsulator = isMissing ? undefined : open();
  beforeAll(stayOnOneCpu);
  afterAll(() => decapsulator?.close());

  function judge(input: Uint8Array, by = decapsulator!) {
    const before = by.statistics();
    const { verdict, data } = by.programs.decapsulate.testRun({ data: input });
    const after = by.statistics();
    const counted = (Object.keys(after) as (keyof DecapsulationCounts)[]).filter(
      (name) => after[name] !== before[name],
    );
    return { verdict: VERDICTS[verdict], counted, data: Buffer.from(data).toString('hex') };
  }
  const counterOf = (tunnel: Tunnel): string => (tunnel === 'gue0' ? 'gue' : tunnel);

  const shapes: [string, Partial<FrameOptions>][] = [
    ['an acknowledgement', {}],
    ['a SYN', { tcpFlags: 2 }],
    ['data', { payload: bytes(1_000) }],
    ['an odd length', { payload: bytes(33) }],
    ['UDP', { protocol: 'udp', payload: bytes(50) }],
    ['empty UDP', { protocol: 'udp' }],
    ['ICMP', { protocol: 1, payload: bytes(20) }],
    ['a marked packet', { trafficClass: 0xb8 }],
  ];
  const cases = TUNNELS.flatMap((tunnel) =>
    PAIRS.flatMap(([outer, inner]) =>
      shapes.map(([what, shape]) => ({ what, tunnel, outer, inner, shape })),
    ),
  );

  it.each(cases)('$tunnel, $inner in $outer: $what', ({ tunnel, outer, inner, shape }) => {
    const body = packet({ ...INNER[inner], ...shape });
    for (const padding of [0, 5]) {
      const input = tunnelled(body, { ...OUTER[outer], tunnel, padding });
      expect(judge(input)).toEqual({
        verdict: 'pass',
        counted: [counterOf(tunnel)],
        data: delivered(body, padding).toString('hex'),
      });
    }
  });

  it.each(cases)('$tunnel, $inner in $outer, in traffic control: $what', (one) => {
    const { tunnel, outer, inner, shape } = one;
    const body = packet({ ...INNER[inner], ...shape });
    const input = tunnelled(body, { ...OUTER[outer], tunnel });
    const before = decapsulator!.statistics();
    const { verdict, data } = decapsulator!.programs.decapsulateTc.testRun({ data: input });
    const after = decapsulator!.statistics();
    const counter = counterOf(tunnel) as keyof DecapsulationCounts;
    expect(after[counter] - before[counter]).toBe(1n);
    expect({ verdict: verdict | 0, data: Buffer.from(data).toString('hex') }).toEqual({
      verdict: TC_NEXT,
      data: delivered(body).toString('hex'),
    });
  });

  it.each(PAIRS)(
    'leaves IPv4 options and extension headers inside alone: %i, %i',
    (outer, inner) => {
      const options = inner === 4 ? { options: Uint8Array.of(1, 1, 1, 1) } : {};
      const body = packet({ ...INNER[inner], ...options });
      const input = tunnelled(body, { ...OUTER[outer], tunnel: 'ipip' });
      expect(judge(input).data).toBe(delivered(body).toString('hex'));
    },
  );

  // RFC 6040, figure 4: rows are what is inside, columns what is outside: not ECT, ECT(1), ECT(0), CE.
  const ECN = [
    [0, 0, 0, 'drop'],
    [1, 1, 1, 3],
    [2, 1, 2, 3],
    [3, 3, 3, 3],
  ] as const;
  const marks = ECN.flatMap((row, inside) =>
    row.flatMap((result, outside) => PAIRS.map((pair) => ({ inside, outside, result, pair }))),
  );

  it.each(marks)('ECN $inside inside, $outside outside, $pair: $result', (mark) => {
    const { inside, outside, result, pair } = mark;
    const [outer, inner] = pair;
    const body = packet({ ...INNER[inner], trafficClass: 0xb8 | inside, payload: bytes(9) });
    const input = tunnelled(body, { ...OUTER[outer], tunnel: 'gre', trafficClass: outside });
    const expected =
      result === 'drop'
        ? { verdict: 'drop', counted: ['congestion'], data: input.toString('hex') }
        : {
            verdict: 'pass',
            counted: ['gre'],
            data: delivered(withEcn(body, result)).toString('hex'),
          };
    expect(judge(input)).toEqual(expected);
  });

  const inner4 = packet(INNER[4]);
  const broken = (base: Uint8Array, change: (body: Buffer) => void): Buffer => {
    const body = Buffer.from(base);
    change(body);
    return body;
  };
  const through = (body: Uint8Array, options: Partial<TunnelOptions> = {}): Buffer =>
    tunnelled(body, { ...OUTER[4], tunnel: 'ipip', ...options });

  it.each<[string, Buffer, keyof DecapsulationCounts]>([
    ['a stranger', through(inner4, { source: '198.51.100.9' }), 'badSource'],
    ['a stranger of IPv6', through(inner4, { ...OUTER[6], source: '101::1' }), 'badSource'],
    ['another VIP', through(packet({ ...INNER[4], destination: '10.200.1.2' })), 'notVip'],
    ['another VIP of IPv6', through(packet({ ...INNER[6], destination: 'fc00:1::2' })), 'notVip'],
    ['this machine itself', through(packet({ ...INNER[4], destination: '10.3.1.2' })), 'notVip'],
    ['a first outer fragment', through(inner4, { fragment: 0x2000 }), 'fragment'],
    ['a later outer fragment', through(inner4, { fragment: 0x0100 }), 'fragment'],
    ['a first fragment of GUE', through(inner4, { tunnel: 'gue', fragment: 0x2000 }), 'fragment'],
    ['no inner TTL', through(broken(inner4, (body) => (body[8] = 0))), 'ttl'],
    ['no inner hop limit', through(broken(packet(INNER[6]), (body) => (body[7] = 0))), 'ttl'],
    ['inner version 5', through(broken(inner4, (body) => (body[0] = 0x55))), 'badHeader'],
    ['an inner header of 16', through(broken(inner4, (body) => (body[0] = 0x44))), 'badHeader'],
    [
      'version 4 where 6 is announced',
      through(packet({ ...INNER[4], payload: bytes(40) }), {
        tunnel: 'gre',
        change: (gre) => gre.writeUInt16BE(0x86dd, 2),
      }),
      'badHeader',
    ],
    [
      'a GRE key',
      through(inner4, { tunnel: 'gre', change: (gre) => (gre[0] = 0x20) }),
      'badHeader',
    ],
    [
      'a GRE version',
      through(inner4, { tunnel: 'gre', change: (gre) => (gre[1] = 1) }),
      'badHeader',
    ],
    [
      'GRE with Ethernet inside',
      through(inner4, { tunnel: 'gre', change: (gre) => gre.writeUInt16BE(0x6558, 2) }),
      'badHeader',
    ],
    [
      'GUE with options',
      through(inner4, { tunnel: 'gue0', change: (gue) => (gue[8] = 1) }),
      'badHeader',
    ],
    [
      'a GUE control message',
      through(inner4, { tunnel: 'gue0', change: (gue) => (gue[8] = 0x20) }),
      'badHeader',
    ],
    ['GUE flags', through(inner4, { tunnel: 'gue0', change: (gue) => (gue[11] = 1) }), 'badHeader'],
    [
      'GUE with TCP inside',
      through(inner4, { tunnel: 'gue0', change: (gue) => (gue[9] = 6) }),
      'badHeader',
    ],
    [
      'a GUE length below the header',
      through(inner4, { tunnel: 'gue', change: (gue) => gue.writeUInt16BE(11, 4) }),
      'badLength',
    ],
    [
      'a GUE length beyond the packet',
      through(inner4, { tunnel: 'gue', change: (gue) => gue.writeUInt16BE(49, 4) }),
      'badLength',
    ],
    [
      'an inner length beyond the outer',
      through(broken(inner4, (body) => body.writeUInt16BE(41, 2))),
      'badLength',
    ],
    [
      'an inner length below its header',
      through(broken(inner4, (body) => body.writeUInt16BE(19, 2))),
      'badLength',
    ],
    [
      'an inner IPv6 length beyond the outer',
      through(broken(packet(INNER[6]), (body) => body.writeUInt16BE(21, 4))),
      'badLength',
    ],
    [
      'an outer length beyond the frame',
      broken(through(inner4), (body) => body.writeUInt16BE(61, 16)),
      'badLength',
    ],
    [
      'an outer length below its header',
      broken(through(inner4), (body) => body.writeUInt16BE(19, 16)),
      'badLength',
    ],
    ['an outer packet that is its header', through(new Uint8Array(0)), 'truncated'],
  ])('drops and counts %s', (_what, input, reason) => {
    expect(judge(input)).toEqual({
      verdict: 'drop',
      counted: [reason],
      data: input.toString('hex'),
    });
  });

  it.each<[string, Buffer]>([
    ['TCP to the machine', frame({ ...INNER[4], destination: '10.3.1.2' })],
    ['IPv6 to the machine', frame({ ...INNER[6], destination: 'fc00:3::2' })],
    ['other UDP', frame({ ...OUTER[4], protocol: 'udp', destinationPort: 53 })],
    ['a tunnel of others', through(inner4, { destination: '10.3.1.3' })],
    ['a tunnel of others, IPv6', through(inner4, { ...OUTER[6], destination: 'fc00:3::3' })],
    ['a later fragment of UDP', through(inner4, { tunnel: 'gue', fragment: 0x0100 })],
    ['outer options', through(inner4, { options: Uint8Array.of(1, 1, 1, 1) })],
    ['GUE at another port', through(inner4, { tunnel: 'gue', guePort: 6_081 })],
    [
      'ARP',
      Buffer.concat([ethernet(0x0806, '02:00:00:00:00:03', '02:00:00:00:00:02'), Buffer.alloc(46)]),
    ],
    ['a frame cut inside Ethernet', Buffer.alloc(14)],
    ['a frame cut inside the outer header', through(inner4).subarray(0, 33)],
    ['outer version 5', broken(through(inner4), (body) => (body[14] = 0x55))],
    ['outer version 4 as IPv6', broken(through(inner4, OUTER[6]), (body) => (body[14] = 0x40))],
  ])('leaves to the host: %s', (_what, input) => {
    expect(judge(input)).toEqual({ verdict: 'pass', counted: [], data: input.toString('hex') });
  });

  it.each(['10.201.0.77', 'fc00:1:1::9:9'])(
    'takes every address of a prefix: %s',
    (destination) => {
      const family = destination.includes(':') ? 6 : 4;
      const body = packet({ ...INNER[family], destination });
      expect(judge(through(body))).toEqual({
        verdict: 'pass',
        counted: ['ipip'],
        data: delivered(body).toString('hex'),
      });
    },
  );

  it.each(TUNNELS)('never delivers a part: %s cut at every length', (tunnel) => {
    for (const [outer, inner] of PAIRS) {
      const whole = tunnelled(packet({ ...INNER[inner], payload: bytes(8) }), {
        ...OUTER[outer],
        tunnel,
      });
      for (let length = 15; length < whole.length; length += 1) {
        const { verdict, data } = judge(whole.subarray(0, length));
        expect(data).toBe(whole.subarray(0, length).toString('hex'));
        expect(['drop', 'pass']).toContain(verdict);
      }
    }
  });

  it('never aborts, and touches nothing that it does not deliver, whatever the bytes', () => {
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const seeds = TUNNELS.flatMap((tunnel) =>
      PAIRS.map(([outer, inner]) =>
        tunnelled(packet({ ...INNER[inner], payload: bytes(20) }), { ...OUTER[outer], tunnel }),
      ),
    );
    for (let turn = 0; turn < 3_000; turn += 1) {
      const input = Buffer.from(seeds[random(seeds.length)]!);
      for (let change = random(5); change >= 0; change -= 1) {
        input[12 + random(input.length - 12)] = random(256);
      }
      const { verdict, counted, data } = judge(input);
      const isTaken = ['ipip', 'gue', 'gre'].includes(counted[0] ?? '');
      expect(counted.length).toBeLessThanOrEqual(1);
      if (verdict === 'drop') expect(isTaken).toBe(false);
      else expect(verdict).toBe('pass');
      // What is delivered ends as the frame ended; its mark apart, what is left is what was there.
      if (isTaken) expect(input.toString('hex').endsWith(data.slice(2 * 34))).toBe(true);
      else expect(data.length).toBe(2 * input.length);
    }
  });

  it.each<[Tunnel, 'ipip' | 'gue' | 'gre']>([
    ['ipip', 'gue'],
    ['gue', 'gre'],
    ['gre', 'ipip'],
  ])('leaves %s to the host where only %s is accepted', (tunnel, only) => {
    const other = open({ encapsulations: [only] });
    try {
      expect(judge(through(inner4, { tunnel }), other).counted).toEqual([]);
      expect(judge(through(inner4, { tunnel: only }), other).counted).toEqual([only]);
    } finally {
      other.close();
    }
  });

  it('takes GUE at the port it is told', () => {
    const other = open({ guePort: 5_555 });
    try {
      const input = through(inner4, { tunnel: 'gue', guePort: 5_555 });
      expect(judge(input, other).counted).toEqual(['gue']);
      expect(judge(through(inner4, { tunnel: 'gue' }), other).counted).toEqual([]);
    } finally {
      other.close();
    }
  });
});
