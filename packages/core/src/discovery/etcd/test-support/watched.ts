/** A resolver on a real etcd, with what it said, and short times so that tests need not wait long. */
import { createRuntime } from '../../../runtime/runtime.ts';
import type { Resolver, ResolverStatus, WatchStatus } from '../../resolver.ts';
import { Recorder } from '../../test-support/recorder.ts';
import type { EtcdOptions } from '../config.ts';
import { etcd } from '../etcd.ts';

export const QUICK: Partial<EtcdOptions> = {
  waitMs: 1_000,
  minIntervalMs: 10,
  maxBackoffMs: 300,
  timeoutMs: 1_000,
  guard: { confirmAfterMs: 700 },
};

export class Watched {
  readonly recorder: Recorder = new Recorder();
  readonly resolver: Resolver;
  readonly warnings: string[] = [];

  constructor(options: EtcdOptions) {
    const ignore = (): void => undefined;
    const warn = (_: object, message: string): void => void this.warnings.push(message);
    const logger = { debug: ignore, info: ignore, warn, error: ignore };
    this.resolver = etcd({ ...QUICK, ...options }).create({
      cluster: 'users',
      runtime: createRuntime({ logger }),
    });
    this.resolver.start(this.recorder);
  }

  /** Addresses of the set in force; undefined before the first. */
  get ids(): string[] | undefined {
    return this.recorder.ids;
  }

  get status(): ResolverStatus {
    return this.resolver.status();
  }

  get watch(): WatchStatus {
    const { watch } = this.resolver.status();
    if (watch === undefined) throw new Error('no watch status');
    return watch;
  }

  /** The smallest set ever handed over. */
  get leastSize(): number {
    return Math.min(...this.recorder.sets.map(({ endpoints }) => endpoints.length));
  }
}
