/** Packets that are not plain: tagged, fragments, with extension headers, ICMP. */
import { parseAddress } from '../address.ts';
import {
  checksum,
  CLIENT_MAC,
  ethernet,
  type FrameOptions,
  GATEWAY_MAC,
  ip4,
  ip6,
  transport,
} from './packets.ts';

const wire = (text: string): Uint8Array => {
  const { bytes, family } = parseAddress(text, 'address');
  return bytes.subarray(0, family === 4 ? 4 : 16);
};

/** A frame with a VLAN tag in front of its type. */
export function tagged(frame: Uint8Array, vlan = 0x2064, type = 0x8100): Buffer {
  const tag = Buffer.from([type >> 8, type & 255, vlan >> 8, vlan & 255]);
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]);
}

/** The frame without its tag. */
export function untagged(frame: Uint8Array): Buffer {
  return Buffer.concat([frame.subarray(0, 12), frame.subarray(16)]);
}

export interface Extension {
  readonly kind: number;
  /** Without the first byte, which names what follows. */
  readonly body: Uint8Array;
}

/** Options or routing: eight bytes, or `bytes` of them. */
export const extension = (kind: number, bytes = 8): Extension => {
  const body = Buffer.alloc(bytes - 1);
  body[0] = kind === 51 ? bytes / 4 - 2 : bytes / 8 - 1;
  return { kind, body };
};

/** A fragment header; `offset` in units of eight bytes. */
export const fragmentHeader = (offset: number, more: boolean): Extension => {
  const body = Buffer.alloc(7);
  body.writeUInt16BE((offset << 3) | (more ? 1 : 0), 1);
  return { kind: 44, body };
};

/** An IPv6 frame with extension headers before its transport. */
export function extended(options: FrameOptions, extensions: readonly Extension[]): Buffer {
  const last = options.protocol === 'udp' ? 17 : options.protocol === 'tcp' ? 6 : 6;
  const number = typeof options.protocol === 'number' ? options.protocol : last;
  const headers = extensions.map(({ body }, index) =>
    Buffer.concat([Buffer.from([extensions[index + 1]?.kind ?? number]), body]),
  );
  const { source, destination } = options;
  return Buffer.concat([
    ethernet(0x86dd, GATEWAY_MAC, CLIENT_MAC),
    ip6({
      ...{ source, destination, next: extensions[0]?.kind ?? number },
      body: Buffer.concat([...headers, transport(options)]),
    }),
  ]);
}

export interface IcmpOptions {
  readonly source: string;
  readonly destination: string;
  readonly type: number;
  readonly code?: number;
  /** The second word. */
  readonly rest?: number;
  readonly body?: Uint8Array;
}

/** An ICMP or ICMPv6 message, as the destination's family says, its checksum right. */
export function icmpMessage(options: IcmpOptions): Buffer {
  const { source, destination, body = new Uint8Array(0) } = options;
  const message = Buffer.alloc(8 + body.length);
  message[0] = options.type;
  message[1] = options.code ?? 0;
  message.writeUInt32BE(options.rest ?? 0, 4);
  message.set(body, 8);
  const parts = [message];
  if (parseAddress(destination, 'destination').family === 6) {
    const pseudo = Buffer.alloc(8);
    pseudo.writeUInt32BE(message.length, 0);
    pseudo[7] = 58;
    parts.unshift(Buffer.from(wire(source)), Buffer.from(wire(destination)), pseudo);
  }
  message.writeUInt16BE(checksum(...parts), 2);
  return message;
}

/** The whole frame of an ICMP message from the client's side. */
export function icmp(options: IcmpOptions): Buffer {
  const { source, destination } = options;
  const message = icmpMessage(options);
  const is4 = parseAddress(destination, 'destination').family === 4;
  const packet = is4
    ? ip4({ source, destination, protocol: 1, body: message })
    : ip6({ source, destination, next: 58, body: message });
  return Buffer.concat([ethernet(is4 ? 0x0800 : 0x86dd, GATEWAY_MAC, CLIENT_MAC), packet]);
}

/** What an error quotes: the packet that a real sent to a client, as the VIP, cut to the header and 8 bytes. */
export function quoted(toVip: FrameOptions, bytes = 8): Buffer {
  const { source, destination, protocol = 'tcp', sourcePort = 40_000 } = toVip;
  const answer: FrameOptions = {
    ...{ source: destination, destination: source, protocol },
    sourcePort: toVip.destinationPort ?? 80,
    destinationPort: sourcePort,
  };
  const number = protocol === 'udp' ? 17 : 6;
  const body = transport(answer);
  const is4 = parseAddress(destination, 'destination').family === 4;
  const packet = is4
    ? ip4({ source: destination, destination: source, protocol: number, body })
    : ip6({ source: destination, destination: source, next: number, body });
  return packet.subarray(0, (is4 ? 20 : 40) + bytes);
}

/** Checks every checksum that a frame has on the way out: IPv4's own, and that of ICMP, ICMPv6 or TCP. */
export function wrongChecksums(frame: Uint8Array): string[] {
  const wrong: string[] = [];
  const packet = frame.subarray(frame[12] === 0x81 || frame[12] === 0x88 ? 18 : 14);
  const is4 = (packet[0] as number) >> 4 === 4;
  const header = is4 ? ((packet[0] as number) & 15) * 4 : 40;
  if (is4 && checksum(packet.subarray(0, header)) !== 0) wrong.push('IPv4');
  const protocol = packet[is4 ? 9 : 6] as number;
  const bytes = is4
    ? ((packet[2] as number) << 8) | (packet[3] as number)
    : 40 + (((packet[4] as number) << 8) | (packet[5] as number));
  const body = packet.subarray(header, bytes);
  const pseudo = Buffer.alloc(4);
  pseudo[1] = protocol;
  pseudo.writeUInt16BE(body.length, 2);
  const addresses = is4 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  if (protocol === 1 && checksum(body) !== 0) wrong.push('ICMP');
  if ((protocol === 58 || protocol === 6) && checksum(addresses, pseudo, body) !== 0) {
    wrong.push(protocol === 6 ? 'TCP' : 'ICMPv6');
  }
  return wrong;
}
