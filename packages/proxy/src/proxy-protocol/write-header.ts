/** The header that this proxy sends to endpoints that want to know whose a connection is. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** One side of a connection. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

export type ProxyProtocolVersion = 'v1' | 'v2';

/** @param source the client @param destination where it connected to */
export function writeProxyHeader(
  version: ProxyProtocolVersion,
  source: Place,
  destination: Place,
): Buffer {
  const from = plain(source);
  const to = plain(destination);
  return version === 'v1' ? version1(from, to) : version2(from, to);
}

/** Section 2.1. Addresses of two families, or none, are unknown to the endpoint. */
function version1(source: Place, destination: Place): Buffer {
  const family = familyOf(source, destination);
  if (family === undefined) return Buffer.from('PROXY UNKNOWN\r\n');
  const { address, port } = source;
  const line = `PROXY TCP${family} ${address} ${destination.address} ${port} ${destination.port}\r\n`;
  return Buffer.from(line, 'latin1');
}

const SIGNATURE: Uint8Array = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_BYTES = 16;
const VERSION_2_OWN = 0x20;
const VERSION_2_PROXIED = 0x21;
const STREAM = 1;

/** Section 2.2. */
function version2(source: Place, destination: Place): Buffer {
  const family = familyOf(source, destination);
  const addressBytes = family === 4 ? 4 : 16;
  const following = family === undefined ? 0 : 2 * addressBytes + 4;
  const header = Buffer.alloc(FIXED_BYTES + following);
  header.set(SIGNATURE);
  header[12] = family === undefined ? VERSION_2_OWN : VERSION_2_PROXIED;
  header.writeUInt16BE(following, 14);
  if (family === undefined) return header;
  header[13] = ((family === 4 ? 1 : 2) << 4) | STREAM;
  header.set(bytesOf(source.address), FIXED_BYTES);
  header.set(bytesOf(destination.address), FIXED_BYTES + addressBytes);
  header.writeUInt16BE(source.port, FIXED_BYTES + 2 * addressBytes);
  header.writeUInt16BE(destination.port, FIXED_BYTES + 2 * addressBytes + 2);
  return header;
}

function familyOf(source: Place, destination: Place): 4 | 6 | undefined {
  if (isIPv4(source.address) && isIPv4(destination.address)) return 4;
  return isIPv6(source.address) && isIPv6(destination.address) ? 6 : undefined;
}

/** Without scopes (`fe80::1%eth0`), and IPv4 as what it is. */
function plain({ address, port }: Place): Place {
  const [unscoped = ''] = address.split('%', 1);
  const isMapped = unscoped.startsWith('::ffff:') && isIPv4(unscoped.slice('::ffff:'.length));
  return { address: isMapped ? unscoped.slice('::ffff:'.length) : unscoped, port };
}

function bytesOf(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  // In its canonical form only `::` is left to be filled in, and IPv4 at the end to be read (RFC 5952).
  const canonical = new SocketAddress({ family: 'ipv6', address }).address;
  const [head, tail] = canonical.split('::') as [string, string?];
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from(
    { length: tail === undefined ? 0 : 8 - before.length - after.length },
    () => 0,
  );
  return Uint8Array.from(
    [...before, ...zeros, ...after].flatMap((group) => [group >>> 8, group & 0xff]),
  );
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
