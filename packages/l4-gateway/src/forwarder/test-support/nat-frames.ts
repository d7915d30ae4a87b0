/** Addresses and frames of the NAT tests. */
import { expect } from 'vitest';
import type { Forwarder, ForwarderOptions, PacketCounts, Real, Vip } from '../../index.ts';
import { onEthernet } from './icmp-frames.ts';
import { openForTest, send } from './opened.ts';
import { CLIENT_MAC, frame, type FrameOptions, GATEWAY_MAC, ROUTER_MAC } from './packets.ts';

export const CLIENTS = { 4: '198.51.100.7', 6: '2001:db8::7' } as const;
export const VIPS = { 4: '10.200.1.1', 6: 'fc00:1::1' } as const;
export const REALS = { 4: '10.0.0.11', 6: 'fc00:2::b' } as const;
export const SOURCES = { 4: '10.201.1.1', 6: 'fd00:201::1' } as const;
export const ROUTERS = { 4: '192.0.2.99', 6: '2001:db8:99::1' } as const;
export const FAMILIES = [4, 6] as const;
export const PROTOCOLS = ['tcp', 'udp'] as const;
export type Family = (typeof FAMILIES)[number];

export const bytes = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 13) & 255);

/** Ethernet addresses of a frame exchanged for others. */
const between = (data: Uint8Array, to: string, from: string): Buffer =>
  onEthernet(data.subarray(14), to, from);

export const toReal = (options: FrameOptions): Buffer =>
  between(frame(options), ROUTER_MAC, GATEWAY_MAC);
export const toClient = (options: FrameOptions): Buffer =>
  between(frame(options), CLIENT_MAC, GATEWAY_MAC);
/** From the real to the gateway: by the router. */
export const fromReal = (options: FrameOptions): Buffer =>
  between(frame(options), GATEWAY_MAC, ROUTER_MAC);
/** A SYN, unless it says otherwise. */
export const fromClient = (family: Family, rest: Partial<FrameOptions> = {}): FrameOptions => ({
  source: CLIENTS[family],
  destination: VIPS[family],
  tcpFlags: 2,
  ...rest,
});

/** Where the ports of an untagged frame are. */
export const portsAt = (data: Uint8Array): number => (data[12] === 0x08 ? 34 : 54);
export const sourcePortIn = (data: Buffer): number => data.readUInt16BE(portsAt(data));

/** VIPs at port 80 of both families and protocols, each with one real. */
export function openNat(
  real: Partial<Real> = {},
  options: Partial<ForwarderOptions> = {},
): Forwarder {
  const forwarder = openForTest({ nat: { addresses: Object.values(SOURCES) }, ...options });
  for (const family of FAMILIES) {
    for (const protocol of PROTOCOLS) {
      const vip: Vip = { address: VIPS[family], port: 80, protocol };
      forwarder.addVip(vip, [{ address: REALS[family], ...real }], { forward: 'nat' });
    }
  }
  return forwarder;
}

/** Opens a connection, and tells the source port that it got. */
export function connect(
  forwarder: Forwarder,
  options: FrameOptions,
): { data: Buffer; port: number } {
  const { verdict, data } = send(forwarder, frame(options));
  expect(verdict).toBe('tx');
  return { data, port: sourcePortIn(data) };
}

/** Which counters an act moves, and by how much. */
export function countedBy(
  forwarder: Forwarder,
  act: () => void,
): Partial<Record<keyof PacketCounts, number>> {
  const before = forwarder.statistics().packets;
  act();
  const after = forwarder.statistics().packets;
  const names = Object.keys(after) as (keyof PacketCounts)[];
  return Object.fromEntries(
    names
      .filter((name) => after[name] !== before[name])
      .map((name) => [name, Number(after[name] - before[name])]),
  );
}
