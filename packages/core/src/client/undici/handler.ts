/**
 * The two shapes in which undici hands over callbacks, and the bridge from the old to the new one.
 *
 * Which shape reaches a dispatcher depends on the caller, not on the undici that the dispatcher is built on: the fetch
 * of Node 22 and 24 and everything in undici 7 speak the legacy shape (`onConnect`, `onHeaders` ...), undici 8 and the
 * fetch of Node 26 the new one (`onRequestStart`, `onResponseStart` ...). {@link normaliseHandler} is called once at the
 * top of `dispatch()`; below it only the new shape exists.
 */
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { rawHeaderList } from './raw-headers.ts';

/** The new shape: the only one that undici 8 knows, and understood by undici 7. */
export type Handler = Dispatcher.DispatchHandler;
export type Controller = Dispatcher.DispatchController;

/** Headers as the transport left them; null before there are any. */
export type RawOfController = NonNullable<Controller['rawHeaders']> | null;

/** Parsed headers: names in lower case, repeated ones as arrays. */
export type HeaderRecord = Record<string, string | string[] | undefined>;

/** The legacy shape. Every part is optional here, because what a caller left out must fail no sooner than in undici. */
export interface LegacyHandler {
  onConnect?(abort: (reason?: Error) => void, context: unknown): void;
  onHeaders?(
    statusCode: number,
    rawHeaders: Buffer[],
    resume: () => void,
    statusText: string,
  ): boolean | undefined;
  onData?(chunk: Buffer): boolean | undefined;
  onComplete?(rawTrailers: Buffer[]): void;
  onError?(error: Error): void;
  onUpgrade?(statusCode: number, rawHeaders: Buffer[], socket: Duplex): void;
  /** Some callers of undici 7 carry this one beside the legacy callbacks. */
  onRequestUpgrade?: Handler['onRequestUpgrade'];
  onBodySent?(chunk: Buffer): void;
  onRequestSent?(): void;
  onResponseStarted?(): void;
}

/** Is there anything here to call back? */
export function isHandler(value: unknown): value is Handler | LegacyHandler {
  return typeof value === 'object' && value !== null;
}

/** Brings any handler into the new shape. One that already has it comes back as it is. */
export function normaliseHandler(handler: Handler | LegacyHandler): Handler {
  return typeof (handler as Handler).onRequestStart === 'function'
    ? (handler as Handler)
    : new LegacyBridge(handler as LegacyHandler);
}

/** Speaks the new shape towards the dispatcher and the legacy shape towards the caller. */
class LegacyBridge implements Handler {
  readonly #legacy: LegacyHandler;

  constructor(legacy: LegacyHandler) {
    this.#legacy = legacy;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#legacy.onConnect?.((reason) => controller.abort(reason as Error), context);
  }

  // oxlint-disable-next-line max-params -- undici's signature
  onRequestUpgrade(
    controller: Controller,
    status: number,
    headers: HeaderRecord,
    socket: Duplex,
  ): void {
    const legacy = this.#legacy;
    if (typeof legacy.onUpgrade === 'function') {
      legacy.onUpgrade(status, rawHeaderList(controller.rawHeaders, headers), socket);
    } else {
      legacy.onRequestUpgrade?.(controller, status, headers, socket);
    }
  }

  // oxlint-disable-next-line max-params -- undici's signature
  onResponseStart(
    controller: Controller,
    status: number,
    headers: HeaderRecord,
    statusText = '',
  ): void {
    const raw = rawHeaderList(controller.rawHeaders, headers);
    const more = this.#legacy.onHeaders?.(status, raw, () => controller.resume(), statusText);
    // Legacy callers answer `false` to informational responses too, where there is no body to hold back.
    if (more === false && status >= 200) controller.pause();
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#legacy.onData?.(chunk) === false) controller.pause();
  }

  onResponseEnd(controller: Controller, trailers: HeaderRecord): void {
    this.#legacy.onComplete?.(rawHeaderList(controller.rawTrailers, trailers));
  }

  onResponseError(_controller: Controller, error: Error): void {
    if (this.#legacy.onError === undefined) throw error;
    this.#legacy.onError(error);
  }

  onBodySent(chunk: Buffer): void {
    this.#legacy.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#legacy.onRequestSent?.();
  }

  onResponseStarted(): void {
    this.#legacy.onResponseStarted?.();
  }
}
