/** ICMP errors about packets: RFC 792 and RFC 4443. */
import { parseAddress } from '../address.ts';
import { checksum, CLIENT_MAC, ethernet, GATEWAY_MAC, ip4, ip6 } from './packets.ts';

export interface IcmpError {
  readonly source: string;
  readonly destination: string;
  readonly type: number;
  readonly code: number;
  /** The four bytes behind the checksum, such as an MTU. */
  readonly rest?: number;
  /** The packet that it is about, from its IP header on. */
  readonly quoted: Uint8Array;
}

/** The error as an IP packet. */
export function icmpError({
  source,
  destination,
  type,
  code,
  rest = 0,
  quoted,
}: IcmpError): Buffer {
  const body = Buffer.concat([Buffer.from([type, code, 0, 0, 0, 0, 0, 0]), quoted]);
  body.writeUInt32BE(rest, 4);
  const to = parseAddress(destination, 'destination');
  if (to.family === 4) {
    body.writeUInt16BE(checksum(body), 2);
    return ip4({ source, destination, protocol: 1, body });
  }
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(body.length, 0);
  pseudo[7] = 58;
  const addresses = [parseAddress(source, 'source').bytes, to.bytes];
  body.writeUInt16BE(checksum(...addresses, pseudo, body), 2);
  return ip6({ source, destination, next: 58, body });
}

/** An IP packet as a frame to the gateway, or between others. */
export function onEthernet(packet: Uint8Array, to = GATEWAY_MAC, from = CLIENT_MAC): Buffer {
  const type = (packet[0] as number) >> 4 === 6 ? 0x86dd : 0x0800;
  return Buffer.concat([ethernet(type, to, from), packet]);
}
