import { uniformPositive, type RandomSource } from '../../algorithm/random-source.ts';
import type { EventQueue } from './event-queue.ts';

export interface ServerOptions {
  /** Requests served at once. */
  workers: number;
  /** Mean time of service. */
  serviceMs: number;
  /** `constant`, or exponentially distributed. Default exponential. */
  readonly spread?: 'constant' | 'exponential';
  /** Requests that may wait; more are refused. Default any number. */
  queueLimit?: number;
}

/** A server with a number of workers and one queue in order of arrival. Capacity: workers / serviceMs. */
export class QueueingServer {
  readonly options: ServerOptions;
  readonly #events: EventQueue;
  readonly #random: RandomSource;
  readonly #waiting: (() => void)[] = [];
  busy = 0;

  constructor(events: EventQueue, random: RandomSource, options: ServerOptions) {
    this.#events = events;
    this.#random = random;
    this.options = options;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  /** @param onEnd hears whether the request was served (later) or refused (at once) */
  submit(onEnd: (served: boolean) => void): void {
    const { workers, queueLimit = Number.POSITIVE_INFINITY } = this.options;
    const run = (): void => this.#serve(() => onEnd(true));
    if (this.busy < workers) run();
    else if (this.#waiting.length < queueLimit) this.#waiting.push(run);
    else onEnd(false);
  }

  #serve(onEnd: () => void): void {
    this.busy++;
    const { serviceMs, spread = 'exponential' } = this.options;
    const factor = spread === 'constant' ? 1 : -Math.log(uniformPositive(this.#random));
    this.#events.after(serviceMs * factor, () => {
      this.busy--;
      onEnd();
      while (this.busy < this.options.workers && this.#waiting.length > 0) this.#waiting.shift()!();
    });
  }
}

/** Calls `arrive` at the times of a Poisson process. */
export function poissonArrivals(
  events: EventQueue,
  random: RandomSource,
  options: { readonly perMs: () => number; readonly arrive: () => void },
): void {
  const next = (): void => {
    const gapMs = -Math.log(uniformPositive(random)) / options.perMs();
    events.after(gapMs, () => {
      options.arrive();
      next();
    });
  };
  next();
}
