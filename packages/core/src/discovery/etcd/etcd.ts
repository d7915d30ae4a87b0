import { decode } from '../../schema/decode.ts';
import type { DiscoverySource } from '../discovery-source.ts';
import type { StreamingHttpPort } from '../http/http-port.ts';
import type { HttpTarget } from '../http/http-target.ts';
import { NodeHttp } from '../http/node-http.ts';
import { RegistryResolver } from '../registry/registry-resolver.ts';
import type { Discovery, DiscoveryEnvironment, Resolver } from '../resolver.ts';
import { EtcdClient } from './client/etcd-client.ts';
import { completeEtcdOptions, type EtcdConfig, type EtcdOptions, etcdSchema } from './config.ts';
import { EtcdSource } from './etcd-source.ts';

/** A whole reading has several pages, and each may take a second member. */
const EXCHANGES_PER_READ = 3;

/**
 * Discovery from etcd v3: the values of all keys with a prefix, kept up to date by a watch. What happens when etcd is
 * down, slow, wrong or empty stands in docs/guides/etcd.md.
 *
 * @example etcd({ prefix: '/services/users/' })
 * @example etcd({ endpoints: ['https://a:2379', 'https://b:2379'], prefix: '/services/users/', username, passwordFile })
 * @throws ConfigError for an unknown option or a value out of range
 */
export function etcd(options: EtcdOptions): Discovery {
  return etcdAt(options, 'etcd');
}

/** As {@link etcd}, for options that stand at `path` in a configuration. */
export function etcdAt(options: EtcdOptions, path: string): Discovery {
  const config = completeEtcdOptions(decode(etcdSchema, options, path), path);
  return {
    kind: 'etcd',
    create: (environment) => {
      const { tls } = config.connection;
      const connect = (target: HttpTarget): NodeHttp =>
        new NodeHttp({ target, tls }, environment.runtime.scheduler);
      return createEtcdResolver(config, environment, connect);
    },
  };
}

/** `{ etcd: { prefix: /services/users/ } }` in data: pass it as `sources: [etcdSource]` to whatever reads the data. */
export const etcdSource: DiscoverySource = {
  kind: 'etcd',
  schema: etcdSchema,
  description: 'Keys of etcd with a prefix. Takes `sources: [etcdSource]`.',
  create: (options, path) => etcdAt(options as EtcdOptions, path),
};

/** The resolver on a given network. */
export function createEtcdResolver(
  config: EtcdConfig,
  environment: DiscoveryEnvironment,
  connect: (target: HttpTarget) => StreamingHttpPort,
): Resolver {
  const { connection, watch, waitMs } = config;
  const { timeoutMs } = connection;
  const client = new EtcdClient(connection, environment.runtime, connect);
  return new RegistryResolver({
    config: watch,
    environment,
    times: {
      readTimeoutMs: EXCHANGES_PER_READ * timeoutMs,
      silenceMs: waitMs + timeoutMs,
      // Never used: every reading can be waited on.
      pollIntervalMs: waitMs,
    },
    source: new EtcdSource(config, client, environment.runtime),
  });
}
