/** Who stays where and for how long: SYN, FIN and RST, silence, dead and draining reals, hash options, source routes. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Flow, Forwarder, Real } from '../index.ts';
import { parseAddress } from './address.ts';
import { judge } from './test-support/judge.ts';
import { openForTest, realIn, send, stayOnOneCpu } from './test-support/opened.ts';
import { CLIENT_MAC, frame, type FrameOptions, GATEWAY_MAC } from './test-support/packets.ts';
import { tagged, untagged, wrongChecksums } from './test-support/shapes.ts';
import type { HashInput, VipOptions } from './vip-options.ts';

const { path } = requireComponent('bpf');

const TCP = { address: '10.200.1.1', port: 80, protocol: 'tcp' } as const;
const UDP = { ...TCP, protocol: 'udp' } as const;
const TCP6 = { address: 'fc00:1::1', port: 80, protocol: 'tcp' } as const;
const from: FrameOptions = { source: '198.51.100.7', destination: TCP.address };
const SYN = 0x02;
const ACK = 0x10;
const FIN = 0x11;
const RST = 0x04;
const FIRST = '0a000001';
const SECOND = '0a000002';
const reals = (...weights: number[]): Real[] =>
  weights.map((weight, index) => ({ address: `10.0.0.${index + 1}`, weight }));

describe.skipIf(path === undefined)('a flow', () => {
  let forwarder: Forwarder;
  let now = 1_000;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());
  const open = (vip: typeof TCP | typeof UDP, options: VipOptions = {}): void => {
    now = 1_000;
    forwarder = openForTest({ clock: () => now });
    forwarder.addVip(vip, reals(1, 0), options);
  };
  const sendIn = (options: Partial<FrameOptions> = {}): string =>
    realIn(send(forwarder, frame({ ...from, ...options })).data);
  const pass = (seconds: number): void => {
    now += seconds;
    forwarder.tick();
  };

  it('of TCP begins with a SYN, which goes where the ring says now', () => {
    open(TCP);
    expect(sendIn({ tcpFlags: SYN })).toBe(FIRST);
    expect(sendIn({ tcpFlags: ACK })).toBe(FIRST);
    forwarder.updateReals(TCP, reals(0, 1));
    // The connection goes on, and a new one with the same port does not follow it.
    expect(sendIn({ tcpFlags: ACK })).toBe(FIRST);
    expect(sendIn({ tcpFlags: SYN | 0x40 })).toBe(SECOND);
    expect(sendIn({ tcpFlags: ACK })).toBe(SECOND);
    // An answer to a SYN does not begin one.
    forwarder.updateReals(TCP, reals(1, 0));
    expect(sendIn({ tcpFlags: SYN | ACK })).toBe(SECOND);
  });

  it('that is not known goes where the ring says, and is remembered unless it ends at once', () => {
    open(TCP);
    expect(sendIn({ tcpFlags: ACK, sourcePort: 1 })).toBe(FIRST);
    expect(sendIn({ tcpFlags: RST, sourcePort: 2 })).toBe(FIRST);
    forwarder.updateReals(TCP, reals(0, 1));
    expect(sendIn({ tcpFlags: ACK, sourcePort: 1 })).toBe(FIRST);
    expect(sendIn({ tcpFlags: ACK, sourcePort: 2 })).toBe(SECOND);
  });

  it.each([
    ['TCP', TCP, { tcpMs: 60_000 }, ACK, 60],
    ['UDP', UDP, { udpMs: 30_000 }, ACK, 30],
    ['TCP after a FIN', TCP, { tcpMs: 60_000, closingMs: 10_000 }, FIN, 10],
    ['TCP after a RST', TCP, { tcpMs: 60_000, closingMs: 10_000 }, RST, 10],
  ] as const)(
    'is remembered as long as its VIP says: %s',
    (_what, vip, flowTimeouts, flags, seconds) => {
      open(vip, { flowTimeouts });
      const { protocol } = vip;
      sendIn({ protocol });
      sendIn({ protocol, tcpFlags: flags });
      forwarder.updateReals(vip, reals(0, 1));
      // Each packet starts the time anew, plain ones and those that take the long way alike.
      for (const shape of [(input: Buffer) => input, tagged, (input: Buffer) => input]) {
        pass(seconds);
        const { data } = send(forwarder, shape(frame({ ...from, protocol })));
        expect(realIn(shape === tagged ? untagged(data) : data)).toBe(FIRST);
      }
      pass(seconds + 1);
      expect(sendIn({ protocol })).toBe(SECOND);
    },
  );

  it('that has been silent is swept out before the clock comes round', () => {
    open(UDP, { flowTimeouts: { udpMs: 30_000, tcpMs: 30_000 } });
    sendIn({ protocol: 'udp' });
    sendIn({ protocol: 'udp' });
    expect(forwarder.fill().flows.usedRatio).toBeGreaterThanOrEqual(0);
    forwarder.updateReals(UDP, reals(0, 1));
    for (let step = 0; step < 3; step += 1) pass(512);
    // 2^15 seconds later the entry would look as if it had been there just now.
    now += 2 ** 15 - 3 * 512;
    forwarder.tick();
    expect(sendIn({ protocol: 'udp' })).toBe(SECOND);
  });

  it('of a real that is down is placed anew by default', () => {
    open(TCP);
    expect(sendIn()).toBe(FIRST);
    forwarder.updateReals(TCP, [{ address: '10.0.0.1', down: true }, { address: '10.0.0.2' }]);
    expect(sendIn()).toBe(SECOND);
    // It stays there when the real is back.
    forwarder.updateReals(TCP, reals(1, 0));
    expect(sendIn()).toBe(SECOND);
  });

  it('of a real that is down stays there where the VIP says `keep`', () => {
    open(TCP, { deadReals: 'keep' });
    expect(sendIn()).toBe(FIRST);
    forwarder.updateReals(TCP, [{ address: '10.0.0.1', down: true }, { address: '10.0.0.2' }]);
    expect(sendIn()).toBe(FIRST);
    expect(sendIn({ sourcePort: 7 })).toBe(SECOND);
    expect(sendIn({ tcpFlags: SYN })).toBe(SECOND);
  });

  it.each([
    ['IPv4', TCP, '198.51.100.7'],
    ['IPv6', TCP6, '2001:db8::7'],
  ] as const)('of a real that is down is reset where the VIP says so: %s', (_what, vip, source) => {
    forwarder = openForTest();
    forwarder.addVip(vip, reals(1, 0), { deadReals: 'reset' });
    const options: FrameOptions = { source, destination: vip.address, sourcePort: 4_321 };
    const is4 = vip === TCP;
    const ip = is4 ? 20 : 40;
    send(forwarder, frame(options));
    forwarder.updateReals(vip, [{ address: '10.0.0.1', down: true }, { address: '10.0.0.2' }]);
    for (const [tcpFlags, payload] of [
      [ACK, 0],
      [ACK | 0x08, 500],
      [FIN, 3],
      [0x08, 10],
    ] as const) {
      const input = frame({ ...options, tcpFlags, payload: new Uint8Array(payload).fill(5) });
      input.writeUInt32BE(0xffff_fff0, 14 + ip + 4);
      input.writeUInt32BE(0x1122_3344, 14 + ip + 8);
      for (const sent of [input, tagged(input)]) {
        const { verdict, data, counted } = judge(forwarder, sent);
        expect({ verdict, counted }).toEqual({ verdict: 'tx', counted: ['resetSent'] });
        expect(wrongChecksums(data)).toEqual([]);
        const got = sent === input ? data : untagged(data);
        expect(got.length).toBe(14 + ip + 20);
        const hex = `${CLIENT_MAC}${GATEWAY_MAC}`.replaceAll(':', '');
        expect(got.subarray(0, 12).toString('hex')).toBe(hex);
        const tcp = got.subarray(14 + ip);
        const hasAck = (tcpFlags & 0x10) !== 0;
        expect({
          ports: [tcp.readUInt16BE(0), tcp.readUInt16BE(2)],
          sequence: tcp.readUInt32BE(4),
          acknowledged: tcp.readUInt32BE(8),
          flags: tcp[13],
        }).toEqual({
          ports: [80, 4_321],
          // RFC 9293, section 3.10.7.1.
          sequence: hasAck ? 0x1122_3344 : 0,
          acknowledged: hasAck ? 0 : (0xffff_fff0 + payload) >>> 0,
          flags: hasAck ? 0x04 : 0x14,
        });
      }
    }
    // Never a reset for a reset; and a new connection goes to the real that is left.
    const reset = judge(forwarder, frame({ ...options, tcpFlags: RST }));
    expect({ verdict: reset.verdict, counted: reset.counted }).toEqual({
      verdict: 'drop',
      counted: ['noReal'],
    });
    expect(realIn(send(forwarder, frame({ ...options, tcpFlags: SYN })).data)).toBe(SECOND);
  });

  it('loses its place when what is hashed changes, and keeps it when the rest does', () => {
    open(TCP);
    expect(sendIn()).toBe(FIRST);
    forwarder.updateReals(TCP, reals(0, 1));
    forwarder.configureVip(TCP, {
      flowTimeouts: { tcpMs: 5_000 },
      options: 'forward',
      echo: 'drop',
    });
    expect(sendIn()).toBe(FIRST);
    forwarder.configureVip(TCP, { hash: 'source' });
    expect(sendIn()).toBe(SECOND);
  });
});

interface Ends {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

describe.skipIf(path === undefined)('the hash of a VIP', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());

  const hexOf = (address: string | undefined): string | undefined =>
    address && Buffer.from(parseAddress(address, 'real').bytes.subarray(0, 4)).toString('hex');
  const realFor = (ends: Ends): string => {
    const flow: Flow = { ...ends, protocol: 'tcp' };
    const { verdict, data } = send(forwarder, frame(flow));
    expect(verdict).toBe('tx');
    expect(realIn(data)).toBe(hexOf(forwarder.realOf(flow)));
    return realIn(data);
  };
  const ends4: Ends = {
    ...{ source: '198.51.100.7', sourcePort: 1_234 },
    ...{ destination: '10.200.1.1', destinationPort: 80 },
  };
  const ends6: Ends = { ...ends4, source: '2001:db8::7', destination: 'fc00:1::1' };
  const counting: Readonly<Record<HashInput, readonly (keyof Ends)[]>> = {
    '5-tuple': ['source', 'sourcePort', 'destination', 'destinationPort'],
    'no-source-port': ['source', 'destination', 'destinationPort'],
    'destination-port': ['destinationPort'],
    source: ['source'],
    'source-destination': ['source', 'destination'],
  };

  it.each(Object.keys(counting) as HashInput[])('takes what it says and no more: %s', (hash) => {
    forwarder = openForTest();
    const hundred = Array.from({ length: 100 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));
    for (const address of ['10.200.0.0/16', 'fc00:1::/32']) {
      forwarder.addVip({ address, port: 'any', protocol: 'tcp' }, hundred, { hash });
    }
    for (const ends of [ends4, ends6]) {
      const is4 = ends === ends4;
      const variants: Readonly<Record<keyof Ends, (index: number) => Ends>> = {
        source: (index) => ({
          ...ends,
          source: is4 ? `198.51.1.${index}` : `2001:db8::1:${index}`,
        }),
        sourcePort: (index) => ({ ...ends, sourcePort: 2_000 + index }),
        destination: (index) => ({
          ...ends,
          destination: is4 ? `10.200.2.${index}` : `fc00:1::2:${index}`,
        }),
        destinationPort: (index) => ({ ...ends, destinationPort: 100 + index }),
      };
      for (const [name, vary] of Object.entries(variants)) {
        const found = new Set(Array.from({ length: 40 }, (_, index) => realFor(vary(index))));
        // 40 of 100 reals at random are some 33 different ones.
        if (counting[hash].includes(name as keyof Ends)) expect(found.size).toBeGreaterThan(20);
        else expect(found.size).toBe(1);
      }
    }
  });

  it('gives clients from some networks other reals, the longest prefix first', () => {
    forwarder = openForTest();
    const vip = { address: '10.200.1.1', port: 80, protocol: 'tcp' } as const;
    const at = (source: string): string => realFor({ ...ends4, source });
    forwarder.addVip(vip, [{ address: '10.0.0.1' }]);
    const routes = [
      { sources: ['198.51.0.0/16', '203.0.113.0/24'], reals: [{ address: '10.0.0.2' }] },
      { sources: ['198.51.100.0/24'], reals: [{ address: '10.0.0.3' }, { address: '10.0.0.1' }] },
      { sources: ['198.51.100.7/32'], reals: [{ address: '10.0.0.4' }] },
    ];
    expect(forwarder.setSourceRoutes(vip, routes)).toBe(true);
    expect(forwarder.setSourceRoutes(vip, routes)).toBe(false);
    expect([at('192.0.2.1'), at('198.51.1.1'), at('203.0.113.9'), at('198.51.100.7')]).toEqual([
      '0a000001',
      '0a000002',
      '0a000002',
      '0a000004',
    ]);
    expect(['0a000003', '0a000001']).toContain(at('198.51.100.8'));
    expect(forwarder.statistics().vips[0]!.reals.map(({ address }) => address)).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
      '10.0.0.4',
    ]);
    // Flows stay while their real does; new ones follow the routes of now.
    forwarder.setSourceRoutes(vip, routes.slice(0, 1));
    expect(at('198.51.100.7')).toBe('0a000002');
    expect(at('192.0.2.1')).toBe('0a000001');
    expect(() => forwarder.setSourceRoutes(vip, [{ sources: ['fc00::/16'], reals: [] }])).toThrow(
      'an IPv4 prefix',
    );
    expect(() =>
      forwarder.setSourceRoutes(vip, [{ sources: ['10.0.0.0/8', '10.0.0.0/8'], reals: [] }]),
    ).toThrow('each prefix once');
    forwarder.setSourceRoutes(vip, []);
    expect(realFor({ ...ends4, source: '198.51.77.1' })).toBe('0a000001');
  });

  it('takes routes of IPv6 sources too', () => {
    forwarder = openForTest();
    const vip = { address: 'fc00:1::1', port: 80, protocol: 'tcp' } as const;
    forwarder.addVip(vip, [{ address: '10.0.0.1' }]);
    forwarder.setSourceRoutes(vip, [
      { sources: ['2001:db8::/32'], reals: [{ address: '10.0.0.2' }] },
    ]);
    const prefix = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(prefix, fc.boolean(), (random, isInside) => {
        if (isInside) random.set([0x20, 0x01, 0x0d, 0xb8]);
        else random.set([0x20, 0x02]);
        const groups = Buffer.from(random).toString('hex').match(/.{4}/gu)!.join(':');
        expect(realFor({ ...ends6, source: groups })).toBe(isInside ? '0a000002' : '0a000001');
      }),
      { seed: 5, numRuns: 100 },
    );
  });
});
