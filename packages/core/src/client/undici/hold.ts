import type { Scheduler, Timer } from '../../runtime/scheduler.ts';
import { type RequestBody, watchBody } from './request-body.ts';

/**
 * Looks after a request that is on no connection: between two tries, or while discovery is awaited. Nothing else keeps
 * the process alive then, or hears of a request body that fails.
 */
export class Hold {
  readonly #scheduler: Scheduler;
  readonly #alive: Timer;
  readonly #unwatchBody: () => void;
  #pause: Timer | undefined = undefined;

  constructor(scheduler: Scheduler, body: RequestBody, onBodyError: (error: Error) => void) {
    this.#scheduler = scheduler;
    this.#alive = scheduler.hold();
    this.#unwatchBody = watchBody(body, onBodyError);
  }

  /** Runs a task after a pause, unless the hold ends before; never in the same stack. */
  after(pauseMs: number, task: () => void): void {
    if (pauseMs === 0) this.#scheduler.soon(task);
    else this.#pause = this.#scheduler.after(pauseMs, task);
  }

  end(): void {
    this.#pause?.cancel();
    this.#alive.cancel();
    this.#unwatchBody();
  }
}
