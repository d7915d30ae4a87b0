/** Packets that are not plain: VLAN tags, fragments, IPv4 options, IPv6 extension headers, reals on this host. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder, Vip } from '../index.ts';
import { judge } from './test-support/judge.ts';
import { openForTest, realIn, send, stayOnOneCpu } from './test-support/opened.ts';
import { encapsulated, frame, type FrameOptions } from './test-support/packets.ts';
import {
  extended,
  type Extension,
  extension,
  fragmentHeader,
  tagged,
  untagged,
} from './test-support/shapes.ts';

const { path } = requireComponent('bpf');

const from4 = { source: '198.51.100.7', destination: '10.200.1.1' } as const;
const from6 = { source: '2001:db8::7', destination: 'fc00:1::1' } as const;
const vipOf = (destination: string, protocol: 'tcp' | 'udp' | 'any' = 'tcp'): Vip => ({
  address: destination,
  port: 80,
  protocol,
});
const twenty = Array.from({ length: 20 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at & 255);

describe.skipIf(path === undefined)('a packet that is not plain', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());

  it.each([
    ['802.1Q, IPv4', from4, 0x8100, '10.0.0.1'],
    ['802.1ad, IPv4', from4, 0x88a8, '10.0.0.1'],
    ['802.1Q, IPv6 in IPv4', from6, 0x8100, '10.0.0.1'],
    ['802.1Q, IPv4 in IPv6', from4, 0x8100, 'fc00:2::1'],
    ['802.1ad, IPv6', from6, 0x88a8, 'fc00:2::1'],
  ])('leaves with the VLAN tag that it came with: %s', (_what, addresses, type, real) => {
    forwarder = openForTest();
    forwarder.addVip(vipOf(addresses.destination), [{ address: real }]);
    const inner = frame({ ...addresses, payload: bytes(33) });
    for (const turn of ['ring', 'cache']) {
      const { verdict, data } = send(forwarder, tagged(inner, 0xa123, type));
      expect({ turn, verdict, tag: data.subarray(12, 16).toString('hex') }).toEqual({
        ...{ turn, verdict: 'tx' },
        tag: `${type.toString(16)}a123`,
      });
      expect(untagged(data).toString('hex')).toBe(encapsulated(inner, real).toString('hex'));
    }
    // One flow, tagged or not.
    expect(send(forwarder, inner).data).toEqual(encapsulated(inner, real));
    expect(forwarder.statistics().packets.newFlow).toBe(1n);
  });

  it('is left to the host with two tags, or with a tag and no IP behind it', () => {
    forwarder = openForTest();
    forwarder.addVip(vipOf(from4.destination), twenty);
    const twice = tagged(tagged(frame(from4)), 7, 0x88a8);
    expect(judge(forwarder, twice)).toEqual({ verdict: 'pass', data: twice, counted: [] });
    const arp = tagged(
      Buffer.concat([frame(from4).subarray(0, 12), Buffer.from([8, 6]), bytes(46)]),
    );
    expect(judge(forwarder, arp)).toEqual({ verdict: 'pass', data: arp, counted: [] });
  });

  it.each([4, 20, 40])(
    'leaves with its IPv4 options where the VIP takes them: %i bytes',
    (count) => {
      forwarder = openForTest();
      forwarder.addVip(vipOf(from4.destination), [{ address: '10.0.0.1' }], { options: 'forward' });
      const input = frame({ ...from4, options: new Uint8Array(count).fill(1), payload: bytes(9) });
      const { verdict, data, counted } = judge(forwarder, input);
      expect({ verdict, counted }).toEqual({ verdict: 'tx', counted: ['newFlow'] });
      expect(data.subarray(34)).toEqual(input.subarray(14));
      expect(realIn(data)).toBe('0a000001');
      // The same flow as its packets without options.
      expect(judge(forwarder, frame(from4)).counted).toEqual([]);
    },
  );

  const chains: [string, Extension[]][] = [
    ['hop-by-hop', [extension(0)]],
    ['routing', [extension(43, 24)]],
    ['destination', [extension(60, 16)]],
    ['authentication', [extension(51, 24)]],
    ['six of them', [0, 60, 43, 60, 51, 60].map((kind) => extension(kind, kind === 51 ? 12 : 8))],
  ];
  it.each(chains)(
    'leaves with its extension headers where the VIP takes them: %s',
    (_what, chain) => {
      forwarder = openForTest();
      const vip = vipOf(from6.destination);
      forwarder.addVip(vip, twenty, { options: 'forward' });
      const input = extended({ ...from6, payload: bytes(9) }, chain);
      const { verdict, data, counted } = judge(forwarder, input);
      expect({ verdict, counted }).toEqual({ verdict: 'tx', counted: ['newFlow'] });
      expect(data.subarray(34)).toEqual(input.subarray(14));
      const plain = judge(forwarder, frame(from6));
      expect({ real: realIn(plain.data), counted: plain.counted }).toEqual({
        real: realIn(data),
        counted: [],
      });
      forwarder.configureVip(vip, {});
      expect(judge(forwarder, input).counted).toEqual(['options']);
    },
  );

  it('is dropped with more extension headers than are followed, or with one that is cut', () => {
    forwarder = openForTest();
    forwarder.addVip(vipOf(from6.destination), twenty, { options: 'forward' });
    const seven = extended(
      from6,
      [0, 60, 43, 60, 43, 60, 60].map((kind) => extension(kind)),
    );
    expect(judge(forwarder, seven).counted).toEqual(['options']);
    const cut = extended(from6, [extension(60)]);
    cut.writeUInt16BE(4, 18);
    expect(judge(forwarder, cut.subarray(0, 58)).counted).toEqual(['truncated']);
    const long = extended(from6, [extension(60)]);
    long[55] = 20; // eight bytes that say that they are 168
    expect(judge(forwarder, long).counted).toEqual(['badLength']);
    const elsewhere = extended(
      { ...from6, destination: 'fc00:1::2' },
      [0, 60, 43, 60, 43, 60, 60].map((kind) => extension(kind)),
    );
    expect(judge(forwarder, elsewhere).verdict).toBe('pass');
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    it(`goes where its other fragments go: IPv4, ${protocol}`, () => {
      forwarder = openForTest();
      const vip = vipOf(from4.destination, protocol);
      forwarder.addVip(vip, twenty, { fragments: 'three-tuple' });
      const reals = new Set<string>();
      for (let client = 1; client <= 40; client += 1) {
        const options: FrameOptions = { ...from4, source: `198.51.100.${client}`, protocol };
        const whole = frame({ ...options, sourcePort: 1_000 + client });
        const other = frame({ ...options, sourcePort: 2_000 + client });
        const first = frame({ ...options, fragment: 0x2000, payload: bytes(64) });
        const later = frame({
          ...options,
          fragment: 0x0009,
          protocol: protocol === 'tcp' ? 6 : 17,
          payload: bytes(40),
        });
        const outcomes = [whole, first, later, other].map((input) => judge(forwarder, input));
        expect(outcomes.map(({ verdict }) => verdict)).toEqual(['tx', 'tx', 'tx', 'tx']);
        const [real, ...rest] = outcomes.map(({ data }) => realIn(data));
        expect(new Set(rest)).toEqual(new Set([real]));
        // So does the outer source: they take one way.
        expect(
          new Set(outcomes.map(({ data }) => data.subarray(26, 30).toString('hex'))).size,
        ).toBe(1);
        expect(outcomes.slice(1).every(({ counted }) => counted.length === 0)).toBe(true);
        const flow = {
          source: options.source,
          sourcePort: 9,
          destination: from4.destination,
          destinationPort: 80,
          protocol,
        };
        expect(
          forwarder
            .realOf(flow)
            ?.split('.')
            .map((part) => Number(part).toString(16).padStart(2, '0'))
            .join(''),
        ).toBe(real);
        reals.add(real!);
      }
      expect(reals.size).toBeGreaterThan(10);
    });
  }

  it('goes where its other fragments go: IPv6', () => {
    forwarder = openForTest();
    forwarder.addVip(vipOf(from6.destination, 'any'), twenty, { fragments: 'three-tuple' });
    for (let client = 1; client <= 20; client += 1) {
      const options: FrameOptions = { ...from6, source: `2001:db8::${client}`, protocol: 'udp' };
      const inputs = [
        frame(options),
        extended({ ...options, payload: bytes(64) }, [fragmentHeader(0, true)]),
        extended({ ...options, protocol: 17, payload: bytes(64) }, [fragmentHeader(9, false)]),
      ];
      const outcomes = inputs.map((input) => judge(forwarder, input));
      expect(outcomes.map(({ verdict }) => verdict)).toEqual(['tx', 'tx', 'tx']);
      expect(new Set(outcomes.map(({ data }) => realIn(data))).size).toBe(1);
    }
  });

  it('keeps its real when others come, all its fragments alike', () => {
    forwarder = openForTest();
    const vip = vipOf(from4.destination, 'udp');
    forwarder.addVip(vip, [{ address: '10.0.0.1' }], { fragments: 'three-tuple' });
    const later = frame({ ...from4, protocol: 17, fragment: 9, payload: bytes(8) });
    expect(realIn(send(forwarder, frame({ ...from4, protocol: 'udp' })).data)).toBe('0a000001');
    forwarder.updateReals(vip, [{ address: '10.0.0.1', weight: 0 }, { address: '10.0.0.2' }]);
    expect(realIn(send(forwarder, later).data)).toBe('0a000001');
    forwarder.configureVip(vip, {});
    expect(judge(forwarder, later).counted).toEqual(['fragment']);
    // What is hashed has changed: the flow is placed anew.
    expect(realIn(send(forwarder, frame({ ...from4, protocol: 'udp' })).data)).toBe('0a000002');
  });

  it('has one VIP that takes its fragments', () => {
    forwarder = openForTest();
    forwarder.addVip(vipOf(from4.destination), [], { fragments: 'three-tuple' });
    const other: Vip = { ...vipOf(from4.destination), port: 81 };
    expect(() => forwarder.addVip(other, [], { fragments: 'three-tuple' })).toThrow(
      'one VIP with them, which is 10.200.1.1:80/tcp',
    );
    forwarder.addVip(other, []);
    expect(() => forwarder.configureVip(other, { fragments: 'three-tuple' })).toThrow('fragments');
    forwarder.addVip({ ...other, protocol: 'udp' }, [], { fragments: 'three-tuple' });
  });

  it('goes up to this host as it came where the real is this host', () => {
    forwarder = openForTest();
    const vip = vipOf(from4.destination);
    forwarder.addVip(vip, [{ address: '10.0.0.1', local: true }]);
    const input = frame({ ...from4, payload: bytes(1_460) });
    expect(judge(forwarder, input)).toEqual({
      ...{ verdict: 'pass', data: input },
      counted: ['newFlow', 'local'],
    });
    const inVlan = tagged(input);
    expect(judge(forwarder, inVlan)).toEqual({ verdict: 'pass', data: inVlan, counted: ['local'] });
    expect(forwarder.statistics().vips[0]!.reals[0]!.packets).toBe(2n);
    forwarder.updateReals(vip, [{ address: '10.0.0.1' }]);
    expect(send(forwarder, frame(from4)).verdict).toBe('tx');
  });
});
