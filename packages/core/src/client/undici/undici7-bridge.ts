/**
 * Towards the pools of undici 7: the new shape on our side, the legacy shape on theirs.
 *
 * undici 7 has such a bridge of its own for handlers of the new shape, but it leaves `onBodySent` and `onRequestSent`
 * out, and with them the moment from which an endpoint alone is awaited.
 */
import type { Duplex } from 'node:stream';
import * as undici from 'undici';
import type { Attempt } from './attempt.ts';
import type { Controller, Handler, HeaderRecord, LegacyHandler } from './handler.ts';

/** undici 8 brought the wrapper for callers of the old shape, because it no longer understands that shape itself. */
const isUndici7 = !('Dispatcher1Wrapper' in undici);

/** The handler to give to a pool of the installed undici. */
export function towardsPool(attempt: Attempt): Handler {
  return isUndici7 ? (new Undici7Bridge(attempt) as unknown as Handler) : attempt;
}

class Undici7Bridge implements LegacyHandler {
  readonly #attempt: Attempt;
  #controller: BridgeController | null = null;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#controller = new BridgeController(abort);
    this.#attempt.onRequestStart(this.#controller);
  }

  onBodySent(chunk: Buffer): void {
    this.#attempt.onBodySent(chunk);
  }

  onRequestSent(): void {
    this.#attempt.onRequestSent();
  }

  onResponseStarted(): void {
    this.#attempt.onResponseStarted();
  }

  // oxlint-disable-next-line max-params -- undici's signature
  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    const controller = this.#started();
    controller.rawHeaders = raw;
    controller.onResume = resume;
    this.#attempt.onResponseStart(controller, status, parse(raw), statusText);
    return !controller.paused;
  }

  onData(chunk: Buffer): boolean {
    const controller = this.#started();
    this.#attempt.onResponseData(controller, chunk);
    return !controller.paused;
  }

  onComplete(raw: Buffer[]): void {
    const controller = this.#started();
    controller.rawTrailers = raw;
    this.#attempt.onResponseEnd(controller, parse(raw));
  }

  onUpgrade(status: number, raw: Buffer[], socket: Duplex): void {
    const controller = this.#started();
    controller.rawHeaders = raw;
    this.#attempt.onRequestUpgrade(controller, status, parse(raw), socket);
  }

  onError(error: Error): void {
    this.#attempt.onResponseError(this.#controller, error);
  }

  /** undici calls nothing but `onError` before `onConnect`. */
  #started(): BridgeController {
    return this.#controller as BridgeController;
  }
}

class BridgeController implements Controller {
  rawHeaders: Buffer[] | null = null;
  rawTrailers: Buffer[] | null = null;
  onResume: (() => void) | undefined = undefined;
  readonly #abort: (reason?: Error) => void;
  #aborted = false;
  #paused = false;
  #reason: Error | null = null;

  constructor(abort: (reason?: Error) => void) {
    this.#abort = abort;
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

  abort(reason: Error): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#abort(reason);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.onResume?.();
  }
}

function parse(raw: Buffer[]): HeaderRecord {
  return undici.util.parseHeaders(raw);
}
