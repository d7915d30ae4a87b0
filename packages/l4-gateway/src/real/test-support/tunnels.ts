/** Encapsulated frames as the standards have them, put together from the packet builder's parts. */
import { parseAddress } from '../../forwarder/address.ts';
import {
  checksum,
  ethernet,
  GATEWAY_MAC,
  ip4,
  ip6,
  ROUTER_MAC,
} from '../../forwarder/test-support/packets.ts';

export type Tunnel = 'ipip' | 'gue' | 'gue0' | 'gre';

export interface TunnelOptions {
  readonly tunnel: Tunnel;
  readonly source: string;
  readonly destination: string;
  readonly trafficClass?: number;
  readonly fragment?: number;
  readonly options?: Uint8Array;
  readonly guePort?: number;
  /** Behind the outer packet. */
  readonly padding?: number;
  /** Changes the bytes between the two IP headers. */
  readonly change?: (between: Buffer) => void;
}

/** IPPROTO numbers of the inner packet. */
const INNER = { 4: 4, 6: 41 } as const;
const TYPES = { 4: 0x0800, 6: 0x86dd } as const;

/** The frame with Ethernet and the outer header in front of `inner`, which is an IP packet. */
export function tunnelled(inner: Uint8Array, options: TunnelOptions): Buffer {
  const innerFamily = (inner[0] as number) >> 4 === 6 ? 6 : 4;
  const between = betweenOf(inner, innerFamily, options);
  options.change?.(between);
  const body = Buffer.concat([between, inner]);
  const { source, destination, trafficClass = 0, tunnel } = options;
  const protocol = tunnel === 'ipip' ? INNER[innerFamily] : tunnel === 'gre' ? 47 : 17;
  const { family } = parseAddress(destination, 'destination');
  const { fragment = 0, options: ipOptions = new Uint8Array(0), padding = 0 } = options;
  const outer =
    family === 4
      ? ip4({ source, destination, protocol, body, trafficClass, fragment, options: ipOptions })
      : ip6({ source, destination, next: protocol, body, trafficClass });
  const header = ethernet(TYPES[family], ROUTER_MAC, GATEWAY_MAC);
  return Buffer.concat([header, outer, Buffer.alloc(padding)]);
}

/** The frame as the host sees it. */
export function delivered(inner: Uint8Array, padding = 0): Buffer {
  const type = (inner[0] as number) >> 4 === 6 ? TYPES[6] : TYPES[4];
  return Buffer.concat([ethernet(type, ROUTER_MAC, GATEWAY_MAC), inner, Buffer.alloc(padding)]);
}

/** An inner packet with another congestion mark; IPv4 gets its checksum anew. */
export function withEcn(inner: Uint8Array, ecn: number): Buffer {
  const packet = Buffer.from(inner);
  if ((packet[0] as number) >> 4 === 6) {
    packet[1] = ((packet[1] as number) & 0xcf) | (ecn << 4);
    return packet;
  }
  packet[1] = ((packet[1] as number) & 0xfc) | ecn;
  packet.writeUInt16BE(0, 10);
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10);
  return packet;
}

function betweenOf(inner: Uint8Array, family: 4 | 6, options: TunnelOptions): Buffer {
  switch (options.tunnel) {
    case 'ipip':
      return Buffer.alloc(0);
    case 'gre':
      return Buffer.from([0, 0, TYPES[family] >> 8, TYPES[family] & 0xff]);
    case 'gue':
    case 'gue0': {
      const gue = options.tunnel === 'gue' ? [] : [0, INNER[family], 0, 0];
      const udp = Buffer.alloc(8);
      udp.writeUInt16BE(51_234, 0);
      udp.writeUInt16BE(options.guePort ?? 6_080, 2);
      udp.writeUInt16BE(8 + gue.length + inner.length, 4);
      return Buffer.concat([udp, Buffer.from(gue)]);
    }
    default:
      return options.tunnel satisfies never;
  }
}
