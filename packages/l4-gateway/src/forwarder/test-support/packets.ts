/** A packet builder: whole Ethernet frames from a few words, every checksum right unless a test breaks it. */
import { parseAddress } from '../address.ts';

export const CLIENT_MAC = '02:00:00:00:00:01';
export const GATEWAY_MAC = '02:00:00:00:00:02';
export const ROUTER_MAC = '02:00:00:00:00:03';

export interface FrameOptions {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: 'tcp' | 'udp' | number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly payload?: Uint8Array;
  readonly trafficClass?: number;
  /** Flags and offset of an IPv4 fragment. */
  readonly fragment?: number;
  /** IPv4 options; a multiple of 4 bytes. */
  readonly options?: Uint8Array;
  readonly tcpFlags?: number;
  /** Bytes behind the IP packet, as short Ethernet frames have them. */
  readonly padding?: number;
}

const NUMBERS = { tcp: 6, udp: 17 } as const;
const mac = (text: string): number[] => text.split(':').map((byte) => Number.parseInt(byte, 16));

/** RFC 1071. Zero over data with its checksum in place. */
export function checksum(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

export function ethernet(type: number, destination: string, source: string): Buffer {
  return Buffer.from([...mac(destination), ...mac(source), type >> 8, type & 0xff]);
}

const wire = (text: string): Uint8Array => {
  const { bytes, family } = parseAddress(text, 'address');
  return bytes.subarray(0, family === 4 ? 4 : 16);
};

export interface Ip4 {
  readonly source: string | Uint8Array;
  readonly destination: string | Uint8Array;
  readonly protocol: number;
  readonly body: Uint8Array;
  readonly trafficClass?: number;
  readonly fragment?: number;
  readonly options?: Uint8Array;
}

export function ip4(packet: Ip4): Buffer {
  const { options = new Uint8Array(0), body } = packet;
  const header = Buffer.alloc(20 + options.length);
  header[0] = 0x40 | (header.length / 4);
  header[1] = packet.trafficClass ?? 0;
  header.writeUInt16BE(header.length + body.length, 2);
  header.writeUInt16BE(packet.fragment ?? 0, 6);
  header[8] = 64;
  header[9] = packet.protocol;
  header.set(typeof packet.source === 'string' ? wire(packet.source) : packet.source, 12);
  header.set(
    typeof packet.destination === 'string' ? wire(packet.destination) : packet.destination,
    16,
  );
  header.set(options, 20);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, body]);
}

export interface Ip6 {
  readonly source: string | Uint8Array;
  readonly destination: string | Uint8Array;
  readonly next: number;
  readonly body: Uint8Array;
  readonly trafficClass?: number;
  readonly label?: number;
}

export function ip6(packet: Ip6): Buffer {
  const header = Buffer.alloc(40);
  const { trafficClass = 0, label = 0 } = packet;
  header.writeUInt32BE(((6 << 28) | (trafficClass << 20) | label) >>> 0, 0);
  header.writeUInt16BE(packet.body.length, 4);
  header[6] = packet.next;
  header[7] = 64;
  header.set(typeof packet.source === 'string' ? wire(packet.source) : packet.source, 8);
  header.set(
    typeof packet.destination === 'string' ? wire(packet.destination) : packet.destination,
    24,
  );
  return Buffer.concat([header, packet.body]);
}

/** TCP or UDP with its checksum over the pseudo header; another protocol is its payload alone. */
export function transport(options: FrameOptions): Buffer {
  const { protocol = 'tcp', payload = new Uint8Array(0) } = options;
  if (typeof protocol === 'number') return Buffer.from(payload);
  const header = Buffer.alloc(protocol === 'tcp' ? 20 : 8);
  header.writeUInt16BE(options.sourcePort ?? 40_000, 0);
  header.writeUInt16BE(options.destinationPort ?? 80, 2);
  if (protocol === 'tcp') {
    header.writeUInt32BE(1, 4);
    header[12] = 0x50;
    header[13] = options.tcpFlags ?? 0x10;
    header.writeUInt16BE(0x2000, 14);
  } else header.writeUInt16BE(8 + payload.length, 4);
  const pseudo = Buffer.alloc(4);
  pseudo[1] = NUMBERS[protocol];
  pseudo.writeUInt16BE(header.length + payload.length, 2);
  const addresses = [wire(options.source), wire(options.destination)];
  const sum = checksum(...addresses, pseudo, header, payload);
  header.writeUInt16BE(sum, protocol === 'tcp' ? 16 : 6);
  return Buffer.concat([header, payload]);
}

/** An Ethernet frame from the client's side to the gateway. */
export function frame(options: FrameOptions): Buffer {
  const { source, destination, protocol = 'tcp', padding = 0 } = options;
  const number = typeof protocol === 'number' ? protocol : NUMBERS[protocol];
  const body = transport(options);
  const { family } = parseAddress(destination, 'destination');
  const packet =
    family === 4
      ? ip4({
          ...{ source, destination, protocol: number, body },
          trafficClass: options.trafficClass ?? 0,
          fragment: options.fragment ?? 0,
          options: options.options ?? new Uint8Array(0),
        })
      : ip6({
          ...{ source, destination, next: number, body },
          trafficClass: options.trafficClass ?? 0,
        });
  const type = family === 4 ? 0x0800 : 0x86dd;
  return Buffer.concat([ethernet(type, GATEWAY_MAC, CLIENT_MAC), packet, Buffer.alloc(padding)]);
}

/** The frame as the gateway sends it to a real, put together from what RFC 2003 and 2473 say. */
export function encapsulated(inner: Uint8Array, real: string): Buffer {
  const isInner4 = inner[12] === 0x08;
  const packet = inner.subarray(14);
  const bytes = isInner4
    ? ((packet[2] as number) << 8) | (packet[3] as number)
    : 40 + (((packet[4] as number) << 8) | (packet[5] as number));
  const trafficClass = isInner4
    ? (packet[1] as number)
    : (((packet[0] as number) << 4) & 0xf0) | ((packet[1] as number) >> 4);
  const protocol = isInner4 ? 4 : 41;
  const body = packet.subarray(0, bytes);
  const padding = packet.subarray(bytes);
  const spread = spreadOf(packet, isInner4);
  if (parseAddress(real, 'real').family === 4) {
    const low = (spread ^ (spread >>> 16)) & 0xffff;
    // The program adds the 16 bits as they lie in memory.
    const source = Uint8Array.from([172, 16, low & 0xff, low >> 8]);
    const outer = ip4({ source, destination: real, protocol, body, trafficClass });
    return Buffer.concat([ethernet(0x0800, ROUTER_MAC, GATEWAY_MAC), outer, padding]);
  }
  const source = Buffer.alloc(16);
  source[0] = 1;
  source.writeUInt32LE(spread, 12);
  const label = (spread ^ (spread >>> 12)) & 0xf_ffff;
  const outer = ip6({ source, destination: real, next: protocol, body, trafficClass, label });
  return Buffer.concat([ethernet(0x86dd, ROUTER_MAC, GATEWAY_MAC), outer, padding]);
}

/** Words of the source and the ports, exclusive-or. */
function spreadOf(packet: Uint8Array, isInner4: boolean): number {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const words = isInner4 ? [12, 20] : [8, 12, 16, 20, 40];
  return words.reduce((sum, at) => sum ^ view.getUint32(at, true), 0) >>> 0;
}
