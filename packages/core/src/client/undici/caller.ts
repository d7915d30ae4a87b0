/**
 * The caller's side of an exchange: its handler, in its own async context, and the one controller that it sees over all
 * tries.
 *
 * Whatever happens after `dispatch()` returned happens in foreign contexts: a socket's, a timer's, another request's.
 * Callbacks and later tries run in the caller's own, or traces would break. The handlers of `request`, `stream` and the
 * like are async resources themselves and look after their callbacks; all others get one here.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import { errors } from 'undici';
import type { Controller, Handler, HeaderRecord, RawOfController } from './handler.ts';

/** What the caller steers. */
export interface Steered {
  onPause(): void;
  onResume(): void;
  onAbort(reason: Error): void;
}

export class Caller implements Controller {
  rawHeaders: RawOfController = null;
  rawTrailers: RawOfController = null;

  readonly #handler: Handler;
  /** Undefined when the handler changes to its context itself. */
  readonly #scope: AsyncResource | undefined;
  #steered: Steered | undefined;
  #aborted = false;
  #paused = false;
  #reason: Error | null = null;

  constructor(handler: Handler, steered: Steered) {
    this.#handler = handler;
    this.#scope =
      handler instanceof AsyncResource ? undefined : new AsyncResource('EVENKEEL_REQUEST');
    this.#steered = steered;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  abort(reason?: Error): void {
    if (this.#aborted || this.#steered === undefined) return;
    this.#aborted = true;
    this.#reason = reason ?? new errors.RequestAbortedError();
    this.#steered.onAbort(this.#reason);
  }

  pause(): void {
    this.#paused = true;
    this.#steered?.onPause();
  }

  resume(): void {
    this.#paused = false;
    this.#steered?.onResume();
  }

  /** The exchange has ended: nothing is left to steer, and late references keep nothing alive. */
  release(): void {
    this.#steered = undefined;
  }

  /** Runs something in the caller's context. */
  run<This, Args extends readonly unknown[]>(
    task: (this: This, ...args: Args) => unknown,
    on: This,
    ...args: Args
  ): void {
    const scope = this.#scope ?? (this.#handler as unknown as AsyncResource);
    scope.runInAsyncScope(task, on, ...args);
  }

  /** Handed over at once, not when a connection is there: so an abort works while waiting, too. */
  requestStart(): void {
    // Still in the caller's own stack.
    this.#handler.onRequestStart?.(this, null);
  }

  bodySent(chunk: Buffer): void {
    const handler = this.#handler;
    if (handler.onBodySent === undefined) return;
    if (this.#scope === undefined) handler.onBodySent(chunk);
    else this.#scope.runInAsyncScope(handler.onBodySent, handler, chunk);
  }

  requestSent(): void {
    const handler = this.#handler;
    if (handler.onRequestSent === undefined) return;
    if (this.#scope === undefined) handler.onRequestSent();
    else this.#scope.runInAsyncScope(handler.onRequestSent, handler);
  }

  responseStarted(): void {
    const handler = this.#handler;
    if (handler.onResponseStarted === undefined) return;
    if (this.#scope === undefined) handler.onResponseStarted();
    else this.#scope.runInAsyncScope(handler.onResponseStarted, handler);
  }

  responseStart(status: number, headers: HeaderRecord, statusText: string | undefined): void {
    const handler = this.#handler;
    if (handler.onResponseStart === undefined) return;
    if (this.#scope === undefined) handler.onResponseStart(this, status, headers, statusText);
    else
      this.#scope.runInAsyncScope(
        handler.onResponseStart,
        handler,
        this,
        status,
        headers,
        statusText,
      );
  }

  responseData(chunk: Buffer): void {
    const handler = this.#handler;
    if (handler.onResponseData === undefined) return;
    if (this.#scope === undefined) handler.onResponseData(this, chunk);
    else this.#scope.runInAsyncScope(handler.onResponseData, handler, this, chunk);
  }

  responseEnd(trailers: HeaderRecord): void {
    const handler = this.#handler;
    if (handler.onResponseEnd === undefined) return;
    if (this.#scope === undefined) handler.onResponseEnd(this, trailers);
    else this.#scope.runInAsyncScope(handler.onResponseEnd, handler, this, trailers);
  }

  requestUpgrade(status: number, headers: HeaderRecord, socket: Duplex): void {
    const handler = this.#handler;
    if (handler.onRequestUpgrade === undefined) return;
    if (this.#scope === undefined) handler.onRequestUpgrade(this, status, headers, socket);
    else
      this.#scope.runInAsyncScope(handler.onRequestUpgrade, handler, this, status, headers, socket);
  }

  responseError(error: Error): void {
    const handler = this.#handler;
    if (handler.onResponseError === undefined) return;
    if (this.#scope === undefined) handler.onResponseError(this, error);
    else this.#scope.runInAsyncScope(handler.onResponseError, handler, this, error);
  }
}
