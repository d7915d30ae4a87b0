import { formatAddress } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';

/** memcached's port, which libmemcached leaves out of the names that it hashes. */
const DEFAULT_PORT_SUFFIX = ':11211';

/**
 * What libmemcached hashes for a server: `host:port`, or `host` alone for the default port. IPv6 addresses go without
 * brackets, as they are written in its server lists. An endpoint with a hash key of its own is hashed under that.
 */
export function serverNameOf({ address, hashKey }: Endpoint): string {
  if (hashKey !== formatAddress(address)) return hashKey;
  const name = address.kind === 'ip' ? `${address.host}:${address.port}` : hashKey;
  return address.kind !== 'unix' && name.endsWith(DEFAULT_PORT_SUFFIX)
    ? name.slice(0, -DEFAULT_PORT_SUFFIX.length)
    : name;
}
