/**
 * `@evenkeel/core/etcd`: discovery from etcd v3, and registration in it. Needs no package besides this one.
 *
 * ```ts
 * const users = createCluster({ name: 'users', discovery: etcd({ prefix: '/services/users/' }) });
 * const registration = register({ registry: etcdRegistry(), service: 'orders', port: 3000 });
 * ```
 */
export { etcd, etcdSource } from '../discovery/etcd/etcd.ts';
export type { EtcdConsistency, EtcdOptions } from '../discovery/etcd/config.ts';
export type {
  EtcdConnectionOptions,
  EtcdTlsOptions,
} from '../discovery/etcd/client/connection-config.ts';
export type { EtcdFormat } from '../discovery/etcd/value/decode-value.ts';
export type { GuardOptions, LastKnownGoodOptions } from '../discovery/guard/config.ts';
export type { WatchOptions } from '../discovery/registry/config.ts';
export { etcdRegistry, type EtcdRegistryOptions } from '../registration/etcd/etcd-registry.ts';
