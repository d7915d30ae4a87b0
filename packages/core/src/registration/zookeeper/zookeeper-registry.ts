import {
  completeConnection,
  connectionShape,
  nodePath,
  type ZookeeperConnectionOptions,
} from '../../discovery/zookeeper/client/connection-config.ts';
import { Connector } from '../../discovery/zookeeper/client/connector.ts';
import { PAYLOAD_FORMATS, type PayloadFormat } from '../../discovery/payload/instance.ts';
import { SERVERSET_MEMBER_PREFIX } from '../../discovery/payload/serverset.ts';
import { decode } from '../../schema/decode.ts';
import { flag, integer, object, oneOf } from '../../schema/fields.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { findOwnAddress } from '../own-address.ts';
import type { Announcement, Registry } from '../registration.ts';
import { Session } from './session.ts';
import { ZookeeperRegistrar } from './zookeeper-registrar.ts';

/** What a user passes to `zookeeperRegistry()`. */
export interface ZookeeperRegistryOptions extends ZookeeperConnectionOptions {
  /** Node that the instances of the service stand below; made when it is missing: `/services/users`. */
  readonly path: string;
  /**
   * How the instance is written: `json` for discovery of ours, `serverset` for Finagle, `curator` for Apache Curator and
   * Spring Cloud, `host-port`. Default `json`.
   */
  readonly format?: PayloadFormat | undefined;
  /** A node with a number from ZooKeeper at its end, instead of the id alone. Default: only with `serverset`. */
  readonly sequential?: boolean | undefined;
  /** Share of the traffic while degraded, 0..65,535. Default: the weight, so that degraded is a remark only. */
  readonly degradedWeight?: number | undefined;
}

const schema = object({
  ...connectionShape,
  path: nodePath(),
  format: oneOf(PAYLOAD_FORMATS).optional(),
  sequential: flag().optional(),
  degradedWeight: integer({ min: 0, max: 65_535 }).optional(),
});

/**
 * ZooKeeper as a place to announce oneself: an ephemeral node that lasts as long as our session.
 *
 * @example register({ registry: zookeeperRegistry({ servers, path: '/services/users' }), service: 'users', port: 8080 })
 * @throws ConfigError
 */
export function zookeeperRegistry(options: ZookeeperRegistryOptions): Registry {
  const decoded = decode(schema, options, 'zookeeperRegistry');
  const config = completeConnection(decoded);
  const { format = 'json', sequential = format === 'serverset', degradedWeight } = decoded;
  return {
    kind: 'zookeeper',
    address: config.address,
    open: (announcement, runtime) =>
      new ZookeeperRegistrar({
        announcement,
        session: new Session(new Connector({ config, readOnly: false, runtime })),
        // The first server stands for all: they are reached the same way.
        findAddress: () => findOwnAddress(config.servers[0] ?? { host: 'localhost', port: 1 }),
        path: `${config.chroot}${decoded.path}`,
        name: nameOf(announcement, { format, sequential, runtime }),
        sequential,
        format,
        degradedWeight: degradedWeight ?? announcement.weight,
        ttlMs: config.sessionTimeoutMs,
        isProtected: config.digest !== undefined,
        runtime,
      }),
  };
}

interface NameRules {
  readonly format: PayloadFormat;
  readonly sequential: boolean;
  readonly runtime: Runtime;
}

/** Characters that cannot be in the name of a node, or would be mistaken for something else, become `_`. */
function nameOf({ id }: Announcement, { format, sequential, runtime }: NameRules): string {
  const name = id.replace(/[^A-Za-z0-9._:@[\]-]/g, '_').replace(/^\.+$/, '_');
  const prefix = format === 'serverset' ? SERVERSET_MEMBER_PREFIX : '';
  if (!sequential) return `${prefix}${name}`;
  const token = (runtime.random.nextInt32() >>> 0).toString(36);
  return format === 'serverset' ? `${prefix}${token}_` : `${name}-${token}-`;
}
