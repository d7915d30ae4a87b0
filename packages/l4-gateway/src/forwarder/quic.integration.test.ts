/** QUIC: a connection id that names a real wins over address, cache and ring. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { requireComponent } from '../../../../test/support/require-component.ts';
import type { Forwarder } from '../index.ts';
import { judge } from './test-support/judge.ts';
import { openForTest, realIn, stayOnOneCpu } from './test-support/opened.ts';
import { frame } from './test-support/packets.ts';

const { path } = requireComponent('bpf');
const SHORT = 0x40;
const INITIAL = 0xc0;
const HANDSHAKE = 0xe0;

const shortPacket = (id: string, flags = SHORT): Buffer =>
  Buffer.concat([Buffer.from([flags, 0x08]), Buffer.from(id, 'hex'), Buffer.alloc(12, 9)]);
const longPacket = (flags: number, id: string, length = 8): Buffer =>
  Buffer.concat([
    Buffer.from([flags, 0, 0, 0, 1, length, 0x08]),
    Buffer.from(id, 'hex'),
    Buffer.alloc(24, 9),
  ]);

describe.skipIf(path === undefined).each([
  ['IPv4', '10.200.1.1', '198.51.100.'],
  ['IPv6', 'fc00:1::1', '2001:db8::'],
])('a QUIC packet: %s', (_family, address, client) => {
  const vip = { address, port: 443, protocol: 'udp' } as const;
  let forwarder: Forwarder;
  beforeAll(stayOnOneCpu);
  afterEach(() => forwarder.close());
  const open = (serverIdBytes = 2): void => {
    forwarder = openForTest();
    const reals = Array.from({ length: 8 }, (_, index) => ({
      address: `10.0.0.${index + 1}`,
      serverId: (index + 1).toString(16).padStart(2 * serverIdBytes, 'a'),
    }));
    forwarder.addVip(vip, reals, { quic: { serverIdBytes } });
  };
  const sent = (payload: Uint8Array, from = 7) => {
    const options = { source: `${client}${from}`, destination: address, destinationPort: 443 };
    const { verdict, data, counted } = judge(
      forwarder,
      frame({ ...options, protocol: 'udp', payload }),
    );
    expect(verdict).toBe('tx');
    return { real: realIn(data), counted };
  };

  it.each([1, 2, 3, 4, 8])('goes to the real that its id names, of %i bytes', (bytes) => {
    open(bytes);
    for (let server = 1; server <= 8; server += 1) {
      const id = server.toString(16).padStart(2 * bytes, 'a');
      for (const payload of [
        shortPacket(id),
        shortPacket(id, 0x7f),
        longPacket(HANDSHAKE, id, 12),
      ]) {
        expect(sent(payload, server)).toEqual({
          real: `0a00000${server}`,
          counted: ['quicRouted'],
        });
      }
    }
  });

  it('stays with its real when the client moves', () => {
    open();
    const first = sent(longPacket(INITIAL, 'ffff'), 1).real;
    const id = `aaa${Number.parseInt(first, 16) & 255}`;
    for (let from = 1; from < 40; from += 1) expect(sent(shortPacket(id), from).real).toBe(first);
  });

  it('is placed by the ring, and then by the cache, when its id names nobody', () => {
    open();
    const { real, counted } = sent(longPacket(INITIAL, 'aaa3'), 5);
    expect(counted).toEqual(['newFlow']);
    expect(sent(longPacket(INITIAL, 'aaa4'), 5)).toEqual({ real, counted: [] });
    expect(sent(shortPacket('1234'), 5)).toEqual({ real, counted: ['quicUnknown'] });
    // Ids that are too short for a server id, and packets that end in them.
    expect(sent(longPacket(HANDSHAKE, 'aaa3', 2), 5)).toEqual({ real, counted: [] });
    expect(sent(Buffer.from([SHORT, 8, 0xaa]), 5)).toEqual({ real, counted: [] });
    expect(sent(Buffer.alloc(0), 5)).toEqual({ real, counted: [] });
  });

  it('is placed anew when the real that its id names is down or gone', () => {
    open();
    const real = (index: number, more: object = {}) => ({
      ...{ address: `10.0.0.${index}`, serverId: `aaa${index}` },
      ...more,
    });
    forwarder.updateReals(vip, [real(1), real(2, { down: true })]);
    expect(sent(shortPacket('aaa2')).real).toBe('0a000001');
    expect(sent(shortPacket('aaa5')).counted).toContain('quicUnknown');
    forwarder.updateReals(vip, [real(1), real(2)]);
    expect(sent(shortPacket('aaa2')).real).toBe('0a000002');
  });

  it('wants ids of the length that its VIP has, each once', () => {
    open();
    const wrong = (serverIds: string[]) => () =>
      forwarder.updateReals(
        vip,
        serverIds.map((serverId, index) => ({ address: `10.0.0.${index + 1}`, serverId })),
      );
    expect(wrong(['aa'])).toThrow('2 octets');
    expect(wrong(['aaa1', 'aaa1'])).toThrow('no other real');
    expect(wrong(['xyz'])).toThrow('in hexadecimal');
    expect(() => forwarder.configureVip(vip, {})).toThrow('a VIP with `quic`');
    expect(() => forwarder.configureVip(vip, { quic: { serverIdBytes: 9 } })).toThrow('1 to 8');
    expect(sent(shortPacket('aaa2')).real).toBe('0a000002');
  });
});
