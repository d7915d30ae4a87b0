import { consulRegistry } from './consul.ts';
import { etcdRegistry } from './etcd.ts';
import type { BenchRegistry } from './registry.ts';
import { zookeeperRegistry } from './zookeeper.ts';

/** What the suite measures, in this order. A new one is a line here, in `RegistryName` and in the table of client.ts. */
export const REGISTRIES: readonly BenchRegistry[] = [
  consulRegistry,
  zookeeperRegistry,
  etcdRegistry,
];
