import type { Address } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';

/** Where a check connects to, as `node:net` takes it. */
export type CheckTarget =
  { readonly path: string } | { readonly host: string; readonly port: number };

/** @param port instead of the endpoint's own; a Unix socket has none */
export function checkTargetOf(address: Address, port: number | undefined): CheckTarget {
  switch (address.kind) {
    case 'ip':
    case 'hostname':
      return { host: address.host, port: port ?? address.port };
    case 'unix':
      return { path: address.path };
  }
}

/**
 * The name an endpoint is known by in TLS. SNI carries names only (RFC 6066 section 3), so for a bare IP address
 * nothing is sent and the certificate must carry the address.
 */
export function serverNameOf(
  endpoint: Endpoint,
  configured: string | undefined,
): string | undefined {
  const { address, hostname } = endpoint;
  return configured ?? hostname ?? (address.kind === 'hostname' ? address.host : undefined);
}

/** The Host header (RFC 9110 section 7.2): the default port of the scheme is left out. */
export function hostHeaderOf(endpoint: Endpoint, target: CheckTarget, tls: boolean): string {
  if (!('host' in target)) return endpoint.hostname ?? 'localhost';
  const suffix = target.port === (tls ? 443 : 80) ? '' : `:${target.port}`;
  if (endpoint.hostname !== undefined) return `${endpoint.hostname}${suffix}`;
  // The zone of a link-local address means nothing to the other side (RFC 6874 section 1).
  const host = target.host.split('%', 1)[0] ?? target.host;
  return `${host.includes(':') ? `[${host}]` : host}${suffix}`;
}
