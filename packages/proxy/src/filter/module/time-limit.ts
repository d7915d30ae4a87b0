/** Promises of others, which may never settle. */
import type { Scheduler } from '@evenkeel/core';
import type { BodyFilter } from '../filter.ts';

export class TimeLimit {
  readonly #scheduler: Scheduler;
  readonly #limitMs: number;
  /** Promises that took too long. */
  expiredCount = 0;

  constructor(scheduler: Scheduler, limitMs: number) {
    this.#scheduler = scheduler;
    this.#limitMs = limitMs;
  }

  /** The same value; or a promise that is rejected when the time is up. */
  of<T>(value: T | Promise<T>): T | Promise<T> {
    return isPromise(value) ? this.#race(value) : value;
  }

  /** The same for all that a body filter returns. */
  body(body: BodyFilter | undefined): BodyFilter | undefined {
    if (body === undefined) return undefined;
    return {
      keepsLength: body.keepsLength,
      transform: (chunk) => this.of(body.transform(chunk)),
      flush: () => this.of(body.flush?.() ?? NOTHING),
      close: () => body.close?.(),
    };
  }

  #race<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#scheduler.after(this.#limitMs, () => {
        this.expiredCount++;
        reject(new Error(`the filter took more than ${this.#limitMs} ms`));
      });
      promise.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}

const NOTHING = Buffer.alloc(0);

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Partial<Promise<T>> | undefined)?.then === 'function';
}
