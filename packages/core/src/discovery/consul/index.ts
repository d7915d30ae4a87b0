/**
 * `@evenkeel/core/consul`: discovery from Consul over its HTTP API; needs no other package.
 *
 * ```ts
 * const users = createCluster({ name: 'users', discovery: consul({ service: 'users' }) });
 * ```
 */
export type { ConsulConsistency, ConsulOptions } from './config.ts';
export { consul, consulSource } from './consul.ts';
