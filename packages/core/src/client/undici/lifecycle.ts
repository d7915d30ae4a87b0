/**
 * The end of a dispatcher, in undici's words: `close` lets running requests finish, `destroy` breaks them off; both
 * take a callback or return a promise, and may be called again. A closed dispatcher is destroyed at the end, too.
 */
import { EvenkeelError } from '../../error/evenkeel-error.ts';

export type Callback = (error?: Error | null, data?: null) => void;

/** What there is to end. */
export interface Ending {
  /** Resolves when no request is running and everything is closed. */
  close(): Promise<void>;
  destroy(error: Error): Promise<void>;
}

export class Lifecycle {
  readonly #ending: Ending;
  #closing: Promise<void> | undefined = undefined;
  #destroying: Promise<void> | undefined = undefined;
  #closed = false;
  #destroyed = false;

  constructor(ending: Ending) {
    this.#ending = ending;
  }

  /** `close()` or `destroy()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** `destroy()` was called, or `close()` has come to its end. */
  get destroyed(): boolean {
    return this.#destroyed;
  }

  close(callback?: Callback): Promise<void> | undefined {
    if (callback !== undefined) assertCallback(callback);
    this.#closed = true;
    this.#closing ??=
      this.#destroying ?? this.#ending.close().then(() => this.#destroy(closedError()));
    return settle(this.#closing, callback);
  }

  destroy(error?: Error | null | Callback, callback?: Callback): Promise<void> | undefined {
    const [reason, done] = typeof error === 'function' ? [undefined, error] : [error, callback];
    if (done !== undefined) assertCallback(done);
    return settle(this.#destroy(reason ?? closedError()), done);
  }

  #destroy(error: Error): Promise<void> {
    // Before anything breaks: what breaks now asks whether that is our own doing.
    this.#closed = true;
    this.#destroyed = true;
    this.#destroying ??= this.#ending.destroy(error);
    return this.#destroying;
  }
}

/** The error of requests that come after the end, or are broken off by it. */
export function closedError(): EvenkeelError {
  return new EvenkeelError('EVENKEEL_CLOSED', 'the dispatcher is closed');
}

function assertCallback(callback: unknown): void {
  if (typeof callback !== 'function') throw new TypeError('the callback must be a function');
}

function settle(promise: Promise<void>, callback: Callback | undefined): Promise<void> | undefined {
  if (callback === undefined) return promise;
  promise.then(
    () => callback(null, null),
    (error: unknown) => callback(error as Error, null),
  );
  return undefined;
}
