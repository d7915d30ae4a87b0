/** What a proxy knows of the client of a connection, and tells endpoints: RFC 7239 calls it forwarding information. */
import { isIP } from 'node:net';
import type { CidrSet } from '../address/cidr-set.ts';
import type { ClientCertificate } from '../filter/filter.ts';
import { ascii } from '../http1/byte-class.ts';

export interface ClientIdentity {
  /** Address of the peer, in text; `::ffff:` is taken off IPv4 addresses. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** `HTTP/2` where that is spoken; left out where each request says its version. */
  readonly protocol?: string | undefined;
  /** Is the peer a proxy whose word about its clients is taken? */
  readonly isTrusted: boolean;
  /** All peers whose word is taken. */
  readonly trusted: CidrSet | undefined;
  /** The whole lines for a peer that is not trusted. */
  readonly lines: Uint8Array;
  /** `x-forwarded-proto: http` as a line. */
  readonly protocolLine: Uint8Array;
  /** What this proxy adds where a trusted peer speaks RFC 7239, as a line. */
  readonly forwardedLine: Uint8Array;
  /** Reads the verified certificate of the peer; left out where there cannot be one. */
  readonly certificate?: (() => ClientCertificate | undefined) | undefined;
}

export function identityOf(
  address: string,
  scheme: 'http' | 'https',
  trusted: CidrSet | undefined,
): ClientIdentity {
  const plain = plainAddress(address);
  const protocol = `x-forwarded-proto: ${scheme}\r\n`;
  return {
    address: plain,
    scheme,
    isTrusted: trusted?.has(plain) === true,
    trusted,
    lines: ascii(`x-forwarded-for: ${plain}\r\n${protocol}`),
    protocolLine: ascii(protocol),
    // A node with colons is quoted and in brackets (RFC 7239 section 6).
    forwardedLine: ascii(
      `forwarded: for=${plain.includes(':') ? `"[${plain}]"` : plain};proto=${scheme}\r\n`,
    ),
  };
}

/**
 * The client behind trusted proxies: the last address that none of them has. What stands left of it was written by
 * somebody who may have made it up.
 *
 * @param forwarded all of `x-forwarded-for`, joined with commas
 */
export function clientAddressOf(
  { address, isTrusted: isPeerTrusted, trusted }: ClientIdentity,
  forwarded: string | undefined,
): string {
  if (!isPeerTrusted || forwarded === undefined) return address;
  let client = address;
  const hops = forwarded.split(',');
  for (let at = hops.length - 1; at >= 0; at--) {
    const hop = hostOf((hops[at] as string).trim());
    // A trusted proxy wrote something that is no address: whoever is meant, the trusted one is what is known.
    if (isIP(hop) === 0) return client;
    client = hop;
    if (trusted?.has(hop) !== true) return hop;
  }
  return client;
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.')
    ? address.slice('::ffff:'.length)
    : address;
}

/** Without a port, which some proxies write: `192.0.2.1:80`, `[2001:db8::1]:80`. */
function hostOf(hop: string): string {
  if (hop.startsWith('[')) return hop.slice(1, hop.indexOf(']'));
  const colon = hop.indexOf(':');
  return plainAddress(colon >= 0 && colon === hop.lastIndexOf(':') ? hop.slice(0, colon) : hop);
}
