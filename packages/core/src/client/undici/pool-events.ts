import type { Dispatcher } from 'undici';

/** Who hears of connections: a dispatcher passes it on to its own listeners. */
export interface PoolEvents {
  connect(origin: URL, targets: readonly Dispatcher[]): void;
  disconnect(origin: URL, targets: readonly Dispatcher[], error: Error): void;
  connectionError(origin: URL, targets: readonly Dispatcher[], error: Error): void;
  /** A pool that was saturated has room again. */
  drain(origin: URL): void;
}
