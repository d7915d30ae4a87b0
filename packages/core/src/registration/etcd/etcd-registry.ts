import {
  completeConnection,
  connectionShape,
  type EtcdConnectionOptions,
} from '../../discovery/etcd/client/connection-config.ts';
import { EtcdClient } from '../../discovery/etcd/client/etcd-client.ts';
import { NodeHttp } from '../../discovery/http/node-http.ts';
import { decode } from '../../schema/decode.ts';
import { durationMs, integer, object, text } from '../../schema/fields.ts';
import { findOwnAddress } from '../own-address.ts';
import type { Registry } from '../registration.ts';
import { EtcdRegistrar } from './etcd-registrar.ts';

/** What a user passes to `etcdRegistry()`. */
export interface EtcdRegistryOptions extends EtcdConnectionOptions {
  /** What all keys begin with; service and id follow: `/services/users/users-10.0.0.1-8080`. Default `/services/`. */
  readonly prefix?: string | undefined;
  /** Life of the lease: without a heartbeat for this long etcd deletes the key. 2 s..1 h, whole seconds. Default 15,000. */
  readonly ttlMs?: number | undefined;
  /** Share of the traffic while degraded, 0..65,535. Default: the weight, so that degraded is a remark only. */
  readonly degradedWeight?: number | undefined;
}

const schema = object({
  ...connectionShape,
  prefix: text(512).optional(),
  // etcd stretches shorter leases to a little more than its own election takes.
  ttlMs: durationMs({ min: 2_000, max: 3_600_000 }).optional(),
  degradedWeight: integer({ min: 0, max: 65_535 }).optional(),
});

/**
 * etcd as a place to announce oneself: a key that lasts as long as our lease.
 *
 * @example register({ registry: etcdRegistry(), service: 'users', port: 8080 })
 * @throws ConfigError
 */
export function etcdRegistry(options: EtcdRegistryOptions = {}): Registry {
  const decoded = decode(schema, options, 'etcdRegistry');
  const connection = completeConnection(decoded, 'etcdRegistry');
  const { prefix = '/services/', ttlMs = 15_000, degradedWeight } = decoded;
  return {
    kind: 'etcd',
    address: connection.address,
    open: (announcement, runtime) => {
      const { tls } = connection;
      const client = new EtcdClient(
        connection,
        runtime,
        (target) => new NodeHttp({ target, tls }, runtime.scheduler),
      );
      return new EtcdRegistrar({
        announcement,
        client,
        key: `${prefix}${announcement.service}/${announcement.id}`,
        ttlMs: Math.ceil(ttlMs / 1_000) * 1_000,
        degradedWeight: degradedWeight ?? announcement.weight,
        findAddress: () => findOwnAddress(placeOf(connection.members[0]?.target)),
        runtime,
      });
    },
  };
}

/** The first member stands for all: they are reached the same way. */
function placeOf(
  target: ReturnType<typeof completeConnection>['members'][number]['target'] | undefined,
): { host: string; port: number } {
  return target?.kind === 'tcp' ? target : { host: 'localhost', port: 1 };
}
