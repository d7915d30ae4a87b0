/** A resolver on a real Consul, with what it said, and short times so that tests need not wait long. */
import { WatchedResolver } from '../../test-support/watched-resolver.ts';
import type { ConsulOptions } from '../config.ts';
import { consul } from '../consul.ts';

export const QUICK: ConsulOptions = {
  waitMs: 1_000,
  minIntervalMs: 10,
  maxBackoffMs: 300,
  timeoutMs: 1_000,
  guard: { confirmAfterMs: 700 },
};

export class Watched extends WatchedResolver {
  constructor(options: ConsulOptions) {
    super(consul({ ...QUICK, ...options }));
  }
}
