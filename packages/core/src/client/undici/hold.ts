import { NO_DEADLINE } from '../../resilience/deadline.ts';
import type { Timer } from '../../runtime/scheduler.ts';
import { type RequestBody, watchBody } from './request-body.ts';
import type { Route, Waiter } from './route.ts';

/** A request that is on no connection, and who gets it back. */
export interface Held extends Waiter {
  readonly body: RequestBody;
  /** The body has failed meanwhile. */
  onBodyError(error: Error): void;
}

/**
 * Looks after a request that is on no connection: between two tries, or while discovery is awaited. Nothing else keeps
 * the process alive then, or hears of a request body that fails.
 */
export class Hold {
  /** How long discovery is waited for; infinite for a pause. */
  readonly dueAtMs: number;
  readonly #route: Route;
  readonly #held: Held;
  readonly #alive: Timer;
  readonly #unwatchBody: () => void;
  #pause: Timer | undefined = undefined;

  private constructor(route: Route, held: Held, dueAtMs: number) {
    this.dueAtMs = dueAtMs;
    this.#route = route;
    this.#held = held;
    this.#alive = route.scheduler.hold();
    this.#unwatchBody = watchBody(held.body, (error) => held.onBodyError(error));
  }

  /** Waits for discovery. @returns undefined when too many do already */
  static forDiscovery(route: Route, held: Held, dueAtMs: number): Hold | undefined {
    return route.waitReady(held) ? new Hold(route, held, dueAtMs) : undefined;
  }

  /** Waits before another try; `onReady` follows, never in the same stack. */
  static between(route: Route, held: Held, pauseMs: number): Hold {
    route.pause(held);
    const hold = new Hold(route, held, NO_DEADLINE);
    const { scheduler } = route;
    if (pauseMs === 0) scheduler.soon(() => held.onReady());
    else hold.#pause = scheduler.after(pauseMs, () => held.onReady());
    return hold;
  }

  end(): void {
    this.#route.leave(this.#held);
    this.#pause?.cancel();
    this.#alive.cancel();
    this.#unwatchBody();
  }
}
