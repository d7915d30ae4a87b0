/**
 * May a request body be sent a second time?
 *
 * | body | again after it was sent | again when it never left |
 * | --- | --- | --- |
 * | none, text, bytes, Blob | yes | yes |
 * | stream, iterable, FormData | no | yes, while nobody has read from it |
 */
import { isErrored, Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

export type RequestBody = Dispatcher.DispatchOptions['body'];

interface StreamLike {
  readonly destroyed?: boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** Does undici make a fresh reading of this body for every try? */
export function isReplayable(body: RequestBody): boolean {
  if (body === null || body === undefined || typeof body === 'string') return true;
  return (
    ArrayBuffer.isView(body) ||
    (body as object) instanceof ArrayBuffer ||
    (body as object) instanceof Blob
  );
}

/** Is the body still whole: nothing read, not destroyed? Only asked of bodies that no connection has taken. */
export function isUntouched(body: RequestBody): boolean {
  if (!isStreamLike(body)) return !isLocked(body);
  return body.destroyed !== true && !Readable.isDisturbed(body as unknown as Readable);
}

/** Has the caller's own body failed? Then the endpoint is not to blame and a retry is pointless. */
export function hasFailed(body: RequestBody): boolean {
  return isStreamLike(body) && (isErrored(body as unknown as Readable) || body.destroyed === true);
}

/**
 * Watches a body between two tries, when undici does not: a stream that fails while nobody listens ends the process.
 *
 * @returns a function that stops watching
 */
export function watchBody(body: RequestBody, onError: (error: Error) => void): () => void {
  if (!isStreamLike(body)) return () => undefined;
  body.on('error', onError);
  return () => void body.off('error', onError);
}

function isStreamLike(body: unknown): body is StreamLike {
  if (typeof body !== 'object' || body === null) return false;
  const { pipe, on } = body as { pipe?: unknown; on?: unknown };
  return typeof pipe === 'function' && typeof on === 'function';
}

/** A web stream that somebody reads from. */
function isLocked(body: RequestBody): boolean {
  return (
    typeof body === 'object' && body !== null && (body as { locked?: unknown }).locked === true
  );
}
