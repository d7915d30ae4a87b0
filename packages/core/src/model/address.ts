import { isIP, SocketAddress } from 'node:net';
import { configError } from '../error/config-error.ts';

/** Where an endpoint listens: an IP address, a name that is resolved when connecting, or a Unix socket. */
export type Address =
  | { readonly kind: 'ip'; readonly host: string; readonly family: 4 | 6; readonly port: number }
  | { readonly kind: 'hostname'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** `sockaddr_un.sun_path` holds 108 bytes on Linux, the last one for the terminating zero (unix(7)). */
const MAX_UNIX_PATH_BYTES = 107;

/** RFC 1123 section 2.1 labels, with `_` allowed because service names in the wild carry it. */
const HOSTNAME =
  /^(?=.{1,253}\.?$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/**
 * Builds an address from a host and a port. IP addresses are brought into canonical text, so that `::1` and
 * `0:0:0:0:0:0:0:1` are one endpoint.
 *
 * @param path where the value stands in the configuration, for the error
 * @throws ConfigError when the host is neither an IP address nor a host name, or the port is not 1..65535
 */
export function createAddress(host: string, port: number, path = 'address'): Address {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw configError(`${path}.port`, 'an integer from 1 to 65535', port);
  }
  const bracketed = host.startsWith('[') && host.endsWith(']');
  const bare = bracketed ? host.slice(1, -1) : host;
  const family = isIP(bare);
  if (family === 4) return { kind: 'ip', host: bare, family, port };
  if (family === 6) return { kind: 'ip', host: canonicalIpv6(bare), family, port };
  // A last label of digits only is a mistyped IPv4 address, not a name (WHATWG URL, "ends in a number").
  if (bracketed || !HOSTNAME.test(bare) || /(^|\.)\d+\.?$/.test(bare)) {
    throw configError(`${path}.host`, 'an IPv4 or IPv6 address or a host name', host);
  }
  return { kind: 'hostname', host: bare.toLowerCase(), port };
}

/** Builds the address of a Unix socket. @throws ConfigError when the path is empty, has a NUL or is over 107 bytes */
export function createUnixAddress(socketPath: string, path = 'address'): Address {
  const bytes = Buffer.byteLength(socketPath);
  if (bytes === 0 || bytes > MAX_UNIX_PATH_BYTES || socketPath.includes('\0')) {
    throw configError(
      `${path}.unix`,
      `a socket path of 1 to ${MAX_UNIX_PATH_BYTES} bytes`,
      socketPath,
    );
  }
  return { kind: 'unix', path: socketPath };
}

/** Reads `10.0.0.1:80`, `[::1]:80`, `name:80` or `unix:/run/app.sock`. @throws ConfigError */
export function parseAddress(text: string, path = 'address'): Address {
  if (text.startsWith('unix:')) return createUnixAddress(text.slice('unix:'.length), path);
  const match = /^(\[[^\]]*\]|[^:/\s[\]]+):(\d{1,5})$/.exec(text);
  if (match === null) {
    throw configError(path, "'host:port', '[ipv6]:port' or 'unix:/path'", text);
  }
  return createAddress(match[1] ?? '', Number(match[2]), path);
}

/** The canonical text of an address; {@link parseAddress} reads it back. */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'ip':
      return address.family === 6
        ? `[${address.host}]:${address.port}`
        : `${address.host}:${address.port}`;
    case 'hostname':
      return `${address.host}:${address.port}`;
    case 'unix':
      return `unix:${address.path}`;
  }
}

function canonicalIpv6(host: string): string {
  // SocketAddress drops the zone (`%eth0`) that a link-local address cannot do without.
  const zone = host.indexOf('%');
  const bare = zone < 0 ? host : host.slice(0, zone);
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  return zone < 0 ? canonical : `${canonical}${host.slice(zone)}`;
}
