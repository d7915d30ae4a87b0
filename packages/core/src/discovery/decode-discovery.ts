import type { EndpointInput } from '../model/endpoint.ts';
import { decode } from '../schema/decode.ts';
import { fallback } from './compose/fallback.ts';
import { merge } from './compose/merge.ts';
import { isDiscovery } from './compose/sources.ts';
import { type DiscoveryConfig, type FallbackConfig, discoverySchema } from './config.ts';
import { dnsAt } from './dns/dns.ts';
import { fileAt } from './file/file.ts';
import type { Discovery } from './resolver.ts';
import { staticEndpointsAt } from './static/static-endpoints.ts';

/**
 * Makes a discovery of whatever stands at `discovery` in a cluster's configuration: a ready {@link Discovery}, a list of
 * endpoints, or the data form (`{ dns: { name, port } }`, `{ merge: [...] }`, ...).
 *
 * @param path where it stands, for the errors: `discovery`, `clusters.users.discovery`
 * @throws ConfigError naming every wrong option
 */
export function decodeDiscovery(raw: unknown, path: string): Discovery {
  if (isDiscovery(raw)) return raw;
  // A list is checked by its own decoder, which words its errors for endpoints and knows duplicates.
  if (Array.isArray(raw)) return staticEndpointsAt(raw as EndpointInput[], path);
  return build(decode(discoverySchema, raw, path), path);
}

function build(config: DiscoveryConfig, path: string): Discovery {
  if (isList(config)) return staticEndpointsAt(config, path);
  if (config.file !== undefined) return fileAt(config.file, `${path}.file`);
  if (config.dns !== undefined) return dnsAt(config.dns, `${path}.dns`);
  if (config.merge !== undefined) return merge(buildAll(config.merge, `${path}.merge`));
  if (config.fallback !== undefined) return buildFallback(config.fallback, `${path}.fallback`);
  return staticEndpointsAt(config.static ?? [], `${path}.static`);
}

function buildFallback(
  config: readonly DiscoveryConfig[] | FallbackConfig,
  path: string,
): Discovery {
  if ('sources' in config) {
    const { sources, ...options } = config;
    return fallback(buildAll(sources, `${path}.sources`), options);
  }
  return fallback(buildAll(config, path));
}

function buildAll(parts: readonly DiscoveryConfig[], path: string): Discovery[] {
  return parts.map((part, index) => build(part, `${path}[${index}]`));
}

function isList(config: DiscoveryConfig): config is readonly EndpointInput[] {
  return Array.isArray(config);
}
