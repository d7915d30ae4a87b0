/** ICMP and ICMPv6: errors go to the real of their flow, echo requests and packets that do not fit are answered. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder, PacketCounts, Vip } from '../index.ts';
import { judge } from './test-support/judge.ts';
import { openForTest, realIn, send, stayOnOneCpu } from './test-support/opened.ts';
import { checksum, CLIENT_MAC, encapsulated, frame, GATEWAY_MAC } from './test-support/packets.ts';
import {
  icmp,
  type IcmpOptions,
  quoted,
  tagged,
  untagged,
  wrongChecksums,
} from './test-support/shapes.ts';

const { path } = requireComponent('bpf');

interface Side {
  readonly name: string;
  readonly client: string;
  readonly router: string;
  readonly vip: string;
  readonly others: string;
  readonly echo: number;
  readonly errors: readonly number[];
  readonly is4: boolean;
}
const SIDES: readonly Side[] = [
  {
    ...{ name: 'ICMP', client: '198.51.100.7', router: '192.0.2.1', vip: '10.200.1.1' },
    ...{ others: '10.200.1.2', echo: 8, errors: [3, 11, 12], is4: true },
  },
  {
    ...{ name: 'ICMPv6', client: '2001:db8::7', router: '2001:db8:1::1', vip: 'fc00:1::1' },
    ...{ others: 'fc00:1::2', echo: 128, errors: [1, 2, 3, 4], is4: false },
  },
];
const macs = (data: Uint8Array): string => Buffer.from(data.subarray(0, 12)).toString('hex');
const BACK = `${CLIENT_MAC}:${GATEWAY_MAC}`.replaceAll(':', '');

describe.skipIf(path === undefined)('ICMP for a VIP', () => {
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());
  const open = (...options: Parameters<typeof openForTest>): Forwarder => {
    forwarder = openForTest(...options);
    return forwarder;
  };

  for (const side of SIDES) {
    const { name, client, router, vip: address, others, is4 } = side;
    const vip: Vip = { address, port: 80, protocol: 'tcp' };
    const reals = Array.from({ length: 20 }, (_, index) => ({ address: `10.0.0.${index + 1}` }));
    const toVip = (sourcePort: number, protocol: 'tcp' | 'udp' = 'tcp') => ({
      ...{ source: client, destination: address, protocol, sourcePort, destinationPort: 80 },
    });
    const error = (sourcePort: number, type: number, more: Partial<IcmpOptions> = {}): Buffer =>
      icmp({
        ...{ source: router, destination: address, type, code: 0, rest: 1_400 },
        body: quoted(toVip(sourcePort)),
        ...more,
      });

    it.each(side.errors)(`${name} errors of type %i go to the real of the flow, whole`, (type) => {
      open().addVip(vip, reals);
      for (let sourcePort = 2_000; sourcePort < 2_020; sourcePort += 1) {
        // Half of the flows are known, the others are placed by the ring: by the same rules as their packets.
        const isKnown = sourcePort % 2 === 0;
        const real = isKnown ? realIn(send(forwarder, frame(toVip(sourcePort))).data) : undefined;
        const input = error(sourcePort, type);
        const { verdict, data, counted } = judge(forwarder, input);
        expect({ verdict, counted }).toEqual({ verdict: 'tx', counted: ['icmpForwarded'] });
        expect(realIn(data)).toBe(real ?? realIn(send(forwarder, frame(toVip(sourcePort))).data));
        expect(data.subarray(34)).toEqual(input.subarray(14));
        expect(checksum(data.subarray(14, 34))).toBe(0);
      }
    });

    it(`${name} errors follow a flow that the cache holds elsewhere than the ring`, () => {
      open().addVip(vip, [{ address: '10.0.0.1' }]);
      send(forwarder, frame(toVip(2_000)));
      forwarder.updateReals(vip, [{ address: '10.0.0.1', weight: 0 }, { address: '10.0.0.2' }]);
      expect(realIn(send(forwarder, error(2_000, side.errors[0]!)).data)).toBe('0a000001');
      expect(realIn(send(forwarder, error(2_001, side.errors[0]!)).data)).toBe('0a000002');
      // An error is no packet of the flow: it does not make one.
      expect(forwarder.statistics().packets.newFlow).toBe(1n);
    });

    it(`${name} errors with a VLAN tag keep it`, () => {
      open().addVip(vip, [{ address: '10.0.0.1' }]);
      const input = error(2_000, side.errors[0]!);
      const plain = send(forwarder, input).data;
      const { verdict, data } = send(forwarder, tagged(input));
      expect({ verdict, data: untagged(data) }).toEqual({ verdict: 'tx', data: plain });
      expect(data.subarray(12, 16).toString('hex')).toBe('81002064');
    });

    const cut = (bytes: number): Partial<IcmpOptions> => ({ body: quoted(toVip(2_000), bytes) });
    it.each<[string, Buffer, keyof PacketCounts]>([
      [
        'about another address',
        error(2_000, side.errors[0]!, {
          body: quoted({ ...toVip(2_000), destination: others }),
        }),
        'icmpDropped',
      ],
      [
        'about another port',
        error(2_000, side.errors[0]!, {
          body: quoted({ ...toVip(2_000), destinationPort: 81 }),
        }),
        'icmpDropped',
      ],
      ['that quote no ports', error(2_000, side.errors[0]!, cut(3)), 'icmpDropped'],
      [
        'that quote nothing',
        error(2_000, side.errors[0]!, { body: Buffer.alloc(0) }),
        'icmpDropped',
      ],
      ['of another type', error(2_000, is4 ? 5 : 100), 'icmpDropped'],
      ['that are echo replies', error(2_000, is4 ? 0 : 129), 'icmpDropped'],
      [
        'of seven bytes',
        icmp({
          ...{ source: router, destination: address, type: side.errors[0]! },
        }).subarray(0, (is4 ? 34 : 54) + 7),
        'badLength',
      ],
    ])(`${name} messages are dropped: %s`, (_what, input, reason) => {
      open().addVip(vip, reals);
      expect(judge(forwarder, input)).toEqual({ verdict: 'drop', data: input, counted: [reason] });
    });

    it(`${name} for others is the host's`, () => {
      open().addVip(vip, reals);
      for (const type of [side.echo, ...side.errors, is4 ? 13 : 200]) {
        const input = icmp({
          ...{ source: router, destination: others, type },
          body: quoted({ ...toVip(2_000), destination: others }),
        });
        expect(judge(forwarder, input)).toEqual({ verdict: 'pass', data: input, counted: [] });
      }
    });

    it.each([0, 1, 56, 1_400])(`${name} echo requests are answered, with %i bytes`, (bytes) => {
      open().addVip(vip, []);
      const body = Uint8Array.from({ length: bytes }, (_, at) => (at * 31) & 255);
      const message = { source: client, destination: address, rest: 0x1234_0007, body };
      const input = icmp({ ...message, type: side.echo });
      const { verdict, data, counted } = judge(forwarder, input);
      expect({ verdict, counted }).toEqual({ verdict: 'tx', counted: ['echoAnswered'] });
      const reply = is4 ? 0 : 129;
      const expected = icmp({ ...message, source: address, destination: client, type: reply });
      expect(data.subarray(14)).toEqual(expected.subarray(14));
      expect(macs(data)).toBe(BACK);
      expect(wrongChecksums(data)).toEqual([]);
      const inVlan = send(forwarder, tagged(input));
      expect(untagged(inVlan.data)).toEqual(data);
    });

    it(`${name} echo requests are dropped when a VIP of the address says so`, () => {
      open().addVip(vip, []);
      const other: Vip = { ...vip, port: 81 };
      forwarder.addVip(other, [], { echo: 'drop' });
      const input = icmp({ source: client, destination: address, type: side.echo });
      expect(judge(forwarder, input).counted).toEqual(['icmpDropped']);
      forwarder.configureVip(other, {});
      expect(judge(forwarder, input).counted).toEqual(['echoAnswered']);
      // Another code is no echo request.
      const odd = icmp({ source: client, destination: address, type: side.echo, code: 1 });
      expect(judge(forwarder, odd).counted).toEqual(['icmpDropped']);
    });

    it(`${name} answers are limited`, () => {
      open({ repliesPerSecond: 5 }).addVip(vip, []);
      const input = icmp({ source: client, destination: address, type: side.echo });
      const verdicts = Array.from({ length: 12 }, () => send(forwarder, input).verdict);
      // A second may begin in between.
      expect(verdicts.filter((verdict) => verdict === 'tx').length).toBeGreaterThanOrEqual(5);
      expect(verdicts.filter((verdict) => verdict === 'tx').length).toBeLessThanOrEqual(10);
      expect(forwarder.statistics().packets.replyLimited).toBeGreaterThanOrEqual(2n);
    });

    it.each([
      ['IPv4', '10.0.0.1', 20],
      ['IPv6', 'fc00:2::1', 40],
    ])(
      `a packet that does not fit into ${'%s'} is answered (${name})`,
      (_outer, real, overhead) => {
        open().addVip(vip, [{ address: real }]);
        const room = 1_500 - overhead;
        const header = is4 ? 40 : 60;
        const sized = (bytes: number): Buffer => {
          const input = frame({ ...toVip(3_000), payload: Buffer.alloc(bytes - header, 7) });
          if (is4) {
            input.writeUInt16BE(0x4000, 20);
            input.writeUInt16BE(0, 24);
            input.writeUInt16BE(checksum(input.subarray(14, 34)), 24);
          }
          return input;
        };
        const fits = sized(room);
        expect(send(forwarder, fits)).toEqual({ verdict: 'tx', data: encapsulated(fits, real) });
        const input = sized(room + 1);
        for (const [sent, answer] of [
          [input, (data: Buffer) => data],
          [tagged(input), untagged],
        ] as const) {
          const { verdict, data, counted } = judge(forwarder, sent);
          expect({ verdict, counted }).toEqual({ verdict: 'tx', counted: ['tooBigSent'] });
          expect(wrongChecksums(data)).toEqual([]);
          const got = answer(data);
          const message = got.subarray(is4 ? 34 : 54);
          const body = Buffer.from(input.subarray(14, 14 + (is4 ? 96 : 256)));
          const expected = icmp({
            ...{ source: address, destination: client, type: is4 ? 3 : 2, code: is4 ? 4 : 0 },
            ...{ rest: room, body },
          });
          expect(message.toString('hex')).toBe(expected.subarray(is4 ? 34 : 54).toString('hex'));
          expect(macs(got)).toBe(BACK);
        }
      },
    );
  }

  it("neighbour and listener discovery are the host's, whatever address they are for", () => {
    open().addVip({ address: 'fc00:1::1', port: 80, protocol: 'tcp' }, []);
    for (const type of [130, 131, 132, 133, 134, 135, 136, 137, 143]) {
      const input = icmp({ source: '2001:db8::7', destination: 'fc00:1::1', type });
      expect(judge(forwarder, input)).toEqual({ verdict: 'pass', data: input, counted: [] });
    }
  });

  it('an IPv4 packet that may be fragmented is dropped instead of answered when it does not fit', () => {
    open().addVip({ address: '10.200.1.1', port: 80, protocol: 'tcp' }, [{ address: '10.0.0.1' }]);
    const input = frame({
      source: '198.51.100.7',
      destination: '10.200.1.1',
      payload: Buffer.alloc(1_441),
    });
    expect(judge(forwarder, input).counted).toEqual(['newFlow', 'tooBig']);
  });

  it('an echo request for an address in a prefix is answered', () => {
    open().addVip({ address: '10.200.0.0/16', port: 'any', protocol: 'tcp' }, []);
    const input = icmp({ source: '198.51.100.7', destination: '10.200.77.1', type: 8 });
    expect(judge(forwarder, input).counted).toEqual(['echoAnswered']);
  });
});
