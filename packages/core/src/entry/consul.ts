/**
 * `@evenkeel/core/consul`: discovery from Consul, and registration in it. Needs no package besides this one.
 *
 * ```ts
 * const users = createCluster({ name: 'users', discovery: consul({ service: 'users' }) });
 * const registration = register({ registry: consulRegistry(), service: 'orders', port: 3000 });
 * ```
 */
export { consul, consulSource } from '../discovery/consul/consul.ts';
export type { ConsulConsistency, ConsulOptions } from '../discovery/consul/config.ts';
export type {
  ConsulConnectionOptions,
  ConsulTlsOptions,
} from '../discovery/consul/http/connection-config.ts';
export type { GuardOptions, LastKnownGoodOptions } from '../discovery/guard/config.ts';
export type { WatchOptions } from '../discovery/registry/config.ts';
export {
  consulRegistry,
  type ConsulRegistryOptions,
} from '../registration/consul/consul-registry.ts';
