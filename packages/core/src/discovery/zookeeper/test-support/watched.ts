/** A resolver on a real ZooKeeper, with what it said, and short times so that tests need not wait long. */
import { WatchedResolver } from '../../test-support/watched-resolver.ts';
import type { ZookeeperOptions } from '../config.ts';
import { zookeeper } from '../zookeeper.ts';

export const QUICK: Omit<ZookeeperOptions, 'servers' | 'path'> = {
  sessionTimeoutMs: 1_500,
  connectTimeoutMs: 500,
  timeoutMs: 700,
  readTimeoutMs: 4_000,
  minIntervalMs: 10,
  maxBackoffMs: 300,
  guard: { confirmAfterMs: 700 },
};

export class Watched extends WatchedResolver {
  constructor(options: ZookeeperOptions) {
    super(zookeeper({ ...QUICK, ...options }));
  }
}
