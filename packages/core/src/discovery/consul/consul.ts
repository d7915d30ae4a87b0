import { decode } from '../../schema/decode.ts';
import { fallback } from '../compose/fallback.ts';
import { RegistryResolver } from '../registry/registry-resolver.ts';
import type { DiscoverySource } from '../discovery-source.ts';
import type { Discovery, DiscoveryEnvironment, Resolver } from '../resolver.ts';
import {
  completeConsulOptions,
  type ConsulConfig,
  type ConsulOptions,
  consulSchema,
} from './config.ts';
import { ConsulQuerySource, ConsulServiceSource, silenceOf } from './consul-source.ts';
import { ConsulClient } from './http/consul-client.ts';
import type { HttpPort } from '../http/http-port.ts';
import { NodeHttp } from '../http/node-http.ts';

/**
 * Discovery from Consul: the instances of a service that its checks let through, watched with blocking queries, or the
 * result of a prepared query. What happens when Consul is down, slow, wrong or empty stands in docs/guides/consul.md.
 *
 * @example consul({ service: 'users' })
 * @example consul({ service: 'users', datacenter: 'dc1', failover: ['dc2'], tags: ['blue'] })
 * @throws ConfigError for an unknown option or a value out of range
 */
export function consul(options: ConsulOptions): Discovery {
  return consulAt(options, 'consul');
}

/** As {@link consul}, for options that stand at `path` in a configuration. */
export function consulAt(options: ConsulOptions, path: string): Discovery {
  const config = completeConsulOptions(decode(consulSchema, options, path), path);
  if (config.failover.length === 0) return discoveryOf(config);
  const { failoverAfterMs } = config;
  const datacenters = [config.datacenter, ...config.failover];
  return fallback(
    datacenters.map((datacenter, index) => discoveryOf(inDatacenter(config, datacenter, index))),
    { afterMs: failoverAfterMs },
  );
}

/** `{ consul: { service: users } }` in data: pass it as `sources: [consulSource]` to whatever reads the data. */
export const consulSource: DiscoverySource = {
  kind: 'consul',
  schema: consulSchema,
  description: 'A service or a prepared query of Consul. Takes `sources: [consulSource]`.',
  create: (options, path) => consulAt(options as ConsulOptions, path),
};

/** Each data centre has a last known good set of its own. */
function inDatacenter(
  config: ConsulConfig,
  datacenter: string | undefined,
  index: number,
): ConsulConfig {
  const { lastKnownGood } = config.watch;
  if (index === 0 || lastKnownGood === undefined) return { ...config, datacenter };
  const path = `${lastKnownGood.path}.${index}`;
  return {
    ...config,
    datacenter,
    watch: { ...config.watch, lastKnownGood: { ...lastKnownGood, path } },
  };
}

function discoveryOf(config: ConsulConfig): Discovery {
  return {
    kind: 'consul',
    create: (environment) =>
      createConsulResolver(
        config,
        environment,
        new NodeHttp(config.connection, environment.runtime.scheduler),
      ),
  };
}

/** The resolver on a given network. */
export function createConsulResolver(
  config: ConsulConfig,
  environment: DiscoveryEnvironment,
  http: HttpPort,
): Resolver {
  const client = new ConsulClient(config.connection, http);
  const { clock } = environment.runtime;
  const shared = {
    config: config.watch,
    environment,
    times: {
      readTimeoutMs: config.connection.timeoutMs,
      silenceMs: silenceOf(config.waitMs),
      pollIntervalMs: config.pollIntervalMs,
    },
  };
  return config.subject.kind === 'service'
    ? new RegistryResolver({ ...shared, source: new ConsulServiceSource(config, client, clock) })
    : new RegistryResolver({ ...shared, source: new ConsulQuerySource(config, client, clock) });
}
