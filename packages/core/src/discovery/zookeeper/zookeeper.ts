import { decode } from '../../schema/decode.ts';
import type { DiscoverySource } from '../discovery-source.ts';
import { RegistryResolver } from '../registry/registry-resolver.ts';
import type { Discovery, DiscoveryEnvironment, Resolver } from '../resolver.ts';
import { Connector } from './client/connector.ts';
import {
  completeZookeeperOptions,
  type ZookeeperConfig,
  type ZookeeperOptions,
  zookeeperSchema,
} from './config.ts';
import { type LinkMaker, silenceOf, ZookeeperSource } from './zookeeper-source.ts';

/**
 * Discovery from ZooKeeper: the children of a node, ephemeral or not, in the format of Finagle's serversets, of Curator's
 * service discovery, as JSON or as plain `host:port`. What happens when ZooKeeper is down, slow, wrong or empty stands in
 * docs/guides/zookeeper.md.
 *
 * @example zookeeper({ servers: 'zk1:2181,zk2:2181,zk3:2181', path: '/services/users' })
 * @throws ConfigError for an unknown option or a value out of range
 */
export function zookeeper(options: ZookeeperOptions): Discovery {
  return zookeeperAt(options, 'zookeeper');
}

/** As {@link zookeeper}, for options that stand at `path` in a configuration. */
export function zookeeperAt(options: ZookeeperOptions, path: string): Discovery {
  const config = completeZookeeperOptions(decode(zookeeperSchema, options, path));
  return {
    kind: 'zookeeper',
    create: (environment) => {
      const { runtime } = environment;
      const connector = new Connector({ config: config.connection, readOnly: true, runtime });
      return createZookeeperResolver(config, environment, connector);
    },
  };
}

/** The resolver on given connections. */
export function createZookeeperResolver(
  config: ZookeeperConfig,
  environment: DiscoveryEnvironment,
  maker: LinkMaker,
): Resolver {
  const { readTimeoutMs, connection, watch } = config;
  return new RegistryResolver({
    source: new ZookeeperSource(config, environment.runtime, maker),
    config: watch,
    environment,
    times: {
      readTimeoutMs,
      silenceMs: silenceOf(connection.sessionTimeoutMs),
      // Every reading can be waited on.
      pollIntervalMs: watch.minIntervalMs,
    },
  });
}

/** `{ zookeeper: { servers, path } }` in data: pass it as `sources: [zookeeperSource]` to whatever reads the data. */
export const zookeeperSource: DiscoverySource = {
  kind: 'zookeeper',
  schema: zookeeperSchema,
  description: 'The children of a node of ZooKeeper. Takes `sources: [zookeeperSource]`.',
  create: (options, path) => zookeeperAt(options as ZookeeperOptions, path),
};
