/** A resolver on a real etcd, with what it said, and short times so that tests need not wait long. */
import { WatchedResolver } from '../../test-support/watched-resolver.ts';
import type { EtcdOptions } from '../config.ts';
import { etcd } from '../etcd.ts';

export const QUICK: Partial<EtcdOptions> = {
  waitMs: 1_000,
  minIntervalMs: 10,
  maxBackoffMs: 300,
  timeoutMs: 1_000,
  guard: { confirmAfterMs: 700 },
};

export class Watched extends WatchedResolver {
  constructor(options: EtcdOptions) {
    super(etcd({ ...QUICK, ...options }));
  }
}
