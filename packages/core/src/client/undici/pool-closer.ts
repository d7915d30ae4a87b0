import type { Scheduler } from '../../runtime/scheduler.ts';
import type { ManagedPool } from './managed-pool.ts';

/** Pools on their way out: each may finish its requests for a while, and all can be waited for. */
export class PoolCloser {
  readonly #closing = new Map<ManagedPool, Promise<void>>();
  readonly #scheduler: Scheduler;
  readonly #limitMs: number;

  /** @param limitMs how long the requests of a pool may go on before they are broken off */
  constructor(scheduler: Scheduler, limitMs: number) {
    this.#scheduler = scheduler;
    this.#limitMs = limitMs;
  }

  /** Closes a pool gently. It must not get requests any more. */
  retire(pool: ManagedPool): void {
    const late = this.#scheduler.after(this.#limitMs, () => void pool.destroy(null));
    const closed = pool.close().finally(() => {
      late.cancel();
      this.#closing.delete(pool);
    });
    this.#closing.set(pool, closed);
  }

  /** Breaks all of them off. */
  async destroy(error: Error | null): Promise<void> {
    await Promise.all([...this.#closing.keys()].map((pool) => pool.destroy(error)));
    await this.idle();
  }

  /** Resolves when every pool is closed. */
  async idle(): Promise<void> {
    await Promise.all(this.#closing.values());
  }
}
