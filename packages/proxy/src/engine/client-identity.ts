/** What a proxy tells endpoints about the client of a connection: RFC 7239 calls it forwarding information. */
import type { BlockList } from 'node:net';
import { isIPv6 } from 'node:net';
import { ascii } from '../http1/byte-class.ts';

export interface ClientIdentity {
  /** Address of the peer, in text; `::ffff:` is taken off IPv4 addresses. */
  readonly address: string;
  /** Is the peer a proxy whose word about its clients is taken? */
  readonly isTrusted: boolean;
  /** The whole lines for a peer that is not trusted. */
  readonly lines: Uint8Array;
  /** `x-forwarded-proto: http` as a line. */
  readonly protocolLine: Uint8Array;
}

export function identityOf(
  address: string,
  scheme: 'http' | 'https',
  trusted: BlockList | undefined,
): ClientIdentity {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
  const protocol = `x-forwarded-proto: ${scheme}\r\n`;
  return {
    address: plain,
    isTrusted: trusted?.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4') === true,
    lines: ascii(`x-forwarded-for: ${plain}\r\n${protocol}`),
    protocolLine: ascii(protocol),
  };
}
