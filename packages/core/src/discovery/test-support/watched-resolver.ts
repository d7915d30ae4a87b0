/** A resolver on a real registry, with what it said. */
import { createRuntime } from '../../runtime/runtime.ts';
import type { Discovery, Resolver, ResolverStatus, WatchStatus } from '../resolver.ts';
import { Recorder } from './recorder.ts';

export class WatchedResolver {
  readonly recorder: Recorder = new Recorder();
  readonly resolver: Resolver;
  readonly warnings: string[] = [];

  constructor(discovery: Discovery) {
    const ignore = (): void => undefined;
    const warn = (_: object, message: string): void => void this.warnings.push(message);
    const logger = { debug: ignore, info: ignore, warn, error: ignore };
    this.resolver = discovery.create({
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
