/**
 * `@evenkeel/core/zookeeper`: discovery from ZooKeeper, and registration in it. Needs the package node-zookeeper-client.
 *
 * ```ts
 * const servers = 'zk1:2181,zk2:2181,zk3:2181';
 * const users = createCluster({ name: 'users', discovery: zookeeper({ servers, path: '/services/users' }) });
 * const registry = zookeeperRegistry({ servers, path: '/services/orders' });
 * const registration = register({ registry, service: 'orders', port: 3000 });
 * ```
 */
export type { GuardOptions, LastKnownGoodOptions } from '../discovery/guard/config.ts';
export type { WatchOptions } from '../discovery/registry/config.ts';
export type { ZookeeperConnectionOptions } from '../discovery/zookeeper/client/connection-config.ts';
export type { ZookeeperOptions } from '../discovery/zookeeper/config.ts';
export type { PayloadFormat } from '../discovery/payload/instance.ts';
export { zookeeper, zookeeperSource } from '../discovery/zookeeper/zookeeper.ts';
export {
  zookeeperRegistry,
  type ZookeeperRegistryOptions,
} from '../registration/zookeeper/zookeeper-registry.ts';
