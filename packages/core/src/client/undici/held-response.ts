/**
 * A response that is kept here before the caller gets it: until it is complete, so that a try which breaks off in the
 * middle can be repeated unseen, or until the caller, who paused, goes on.
 *
 * ```text
 *   holding ──── complete, or too large ────► draining ──── all handed over ────► nothing left to do
 *      └───────── broken: dropped                └─ stops while the caller has paused
 * ```
 */
import type { Caller } from './caller.ts';
import type { HeaderRecord } from './handler.ts';

export class HeldResponse {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #draining = false;
  #trailers: HeaderRecord | undefined = undefined;

  /** @param maxBytes how much is kept back */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Set once the response has come to its end. */
  get trailers(): HeaderRecord | undefined {
    return this.#trailers;
  }

  /** @returns false when there is more than may be kept back: it has to be passed on now */
  push(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#heldBytes <= this.#maxBytes;
  }

  end(trailers: HeaderRecord): void {
    this.#trailers = trailers;
  }

  /** Forgets everything. */
  drop(): void {
    this.#chunks = [];
  }

  /** Hands over what is here while the caller takes it. @returns whether nothing is left */
  drain(caller: Caller): boolean {
    // A caller that resumes within its own callback is already being served.
    if (this.#draining) return false;
    this.#draining = true;
    try {
      for (let chunk = this.#next(caller); chunk !== undefined; chunk = this.#next(caller))
        caller.responseData(chunk);
    } finally {
      this.#draining = false;
    }
    return this.#chunks.length === 0 && !caller.paused;
  }

  #next(caller: Caller): Buffer | undefined {
    return caller.paused ? undefined : this.#chunks.shift();
  }
}

/** What is never held back: it is read while it is written. */
const LIVE_CONTENT = /^(?:text\/event-stream|application\/grpc)/i;

/** May a response with these headers be complete within so many bytes, as far as they say? */
export function isHoldable(headers: HeaderRecord, maxBytes: number): boolean {
  const length = headers['content-length'];
  if (typeof length === 'string' && Number(length) > maxBytes) return false;
  const type = headers['content-type'];
  return !(typeof type === 'string' && LIVE_CONTENT.test(type));
}
