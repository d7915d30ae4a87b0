import { PickError } from '../error/pick-error.ts';
import type { Scheduler, Timer } from '../runtime/scheduler.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Lets callers wait for the first endpoint set; opens once. The process stays alive as long as somebody waits. */
export class ReadyGate {
  readonly #cluster: string;
  readonly #scheduler: Scheduler;
  readonly #waiters = new Set<Waiter>();
  #hold: Timer | undefined;
  #state: 'waiting' | 'open' | 'closed' = 'waiting';

  constructor(cluster: string, scheduler: Scheduler) {
    this.#cluster = cluster;
    this.#scheduler = scheduler;
  }

  /** Has the first set arrived? */
  get open(): boolean {
    return this.#state === 'open';
  }

  wait(signal?: AbortSignal): Promise<void> {
    if (this.#state === 'open') return Promise.resolve();
    if (this.#state === 'closed') return Promise.reject(new PickError(this.#cluster, 'closed'));
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) this.#hold?.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = {
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error as Error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (this.#waiters.size === 0) this.#hold = this.#scheduler.hold();
      this.#waiters.add(waiter);
    });
  }

  pass(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'open';
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }

  close(): void {
    this.#state = 'closed';
    for (const waiter of [...this.#waiters]) waiter.reject(new PickError(this.#cluster, 'closed'));
  }
}
