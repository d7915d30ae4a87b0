import type { EndpointInput } from '../model/endpoint.ts';
import { decode } from '../schema/decode.ts';
import { fallback } from './compose/fallback.ts';
import { merge } from './compose/merge.ts';
import { isDiscovery } from './compose/sources.ts';
import {
  type DiscoveryConfig,
  discoverySchema,
  discoverySchemaOf,
  type FallbackConfig,
} from './config.ts';
import { type DiscoverySource, withEntryHints } from './discovery-source.ts';
import { dnsAt } from './dns/dns.ts';
import { fileAt } from './file/file.ts';
import type { Discovery } from './resolver.ts';
import { staticEndpointsAt } from './static/static-endpoints.ts';

/**
 * Makes a discovery of whatever stands at `discovery` in a cluster's configuration: a ready {@link Discovery}, a list of
 * endpoints, or the data form (`{ dns: { name, port } }`, `{ merge: [...] }`, ...).
 *
 * @param path where it stands, for the errors: `discovery`, `clusters.users.discovery`
 * @param kinds sources of other entries that the data form may name
 * @throws ConfigError naming every wrong option
 */
export function decodeDiscovery(
  raw: unknown,
  path: string,
  kinds: readonly DiscoverySource[] = [],
): Discovery {
  if (isDiscovery(raw)) return raw;
  // A list is checked by its own decoder, which words its errors for endpoints and knows duplicates.
  if (Array.isArray(raw)) return staticEndpointsAt(raw as EndpointInput[], path);
  const schema = kinds.length === 0 ? discoverySchema : discoverySchemaOf(kinds);
  const config = withEntryHints(() => decode(schema, raw, path));
  return new DiscoveryBuilder(kinds).build(config, path);
}

class DiscoveryBuilder {
  readonly #kinds: readonly DiscoverySource[];

  constructor(kinds: readonly DiscoverySource[]) {
    this.#kinds = kinds;
  }

  build(config: DiscoveryConfig, path: string): Discovery {
    if (isList(config)) return staticEndpointsAt(config, path);
    const options = config as Readonly<Record<string, unknown>>;
    const own = this.#kinds.find(({ kind }) => options[kind] !== undefined);
    if (own !== undefined) return own.create(options[own.kind], `${path}.${own.kind}`);
    if (config.file !== undefined) return fileAt(config.file, `${path}.file`);
    if (config.dns !== undefined) return dnsAt(config.dns, `${path}.dns`);
    if (config.merge !== undefined) return merge(this.#buildAll(config.merge, `${path}.merge`));
    if (config.fallback !== undefined) {
      return this.#buildFallback(config.fallback, `${path}.fallback`);
    }
    return staticEndpointsAt(config.static ?? [], `${path}.static`);
  }

  #buildFallback(config: readonly DiscoveryConfig[] | FallbackConfig, path: string): Discovery {
    if ('sources' in config) {
      const { sources, ...options } = config;
      return fallback(this.#buildAll(sources, `${path}.sources`), options);
    }
    return fallback(this.#buildAll(config, path));
  }

  #buildAll(parts: readonly DiscoveryConfig[], path: string): Discovery[] {
    return parts.map((part, index) => this.build(part, `${path}[${index}]`));
  }
}

function isList(config: DiscoveryConfig): config is readonly EndpointInput[] {
  return Array.isArray(config);
}
