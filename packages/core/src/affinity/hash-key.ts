import type { HashKeyRequest, HashKeySource } from '../model/hash-key-source.ts';

/**
 * Takes the affinity key out of a request, from where the cluster's policy says it is: the one way for all clients and
 * proxies, so that they agree on the key.
 *
 * @returns the key, or undefined when the request does not carry one: then the policy picks as it likes
 */
export function hashKeyOf(source: HashKeySource, request: HashKeyRequest): string | undefined {
  if (typeof source === 'function') return source(request);
  if ('header' in source) return request.header(source.header.toLowerCase());
  if ('cookie' in source) return request.cookie(source.cookie);
  if ('query' in source) return request.query(source.query);
  if ('path' in source) return request.path;
  const { sourceAddress } = request;
  return sourceAddress === undefined ? undefined : plainAddress(sourceAddress);
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** A socket that serves both families shows IPv4 peers as `::ffff:10.0.0.1` (RFC 4291 section 2.5.5.2): same client. */
function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}
