/** An answer of one's own where there is none: a page from the cache, a default, a polite 503. */
import type { Dispatcher } from 'undici';
import type { HeaderRecord } from './handler.ts';

/** What a fallback answers with. */
export interface FallbackAnswer {
  /** 200..599. */
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
  /** Default empty. */
  readonly body?: string | Uint8Array | undefined;
}

/**
 * Called with the error of a request that was refused or whose tries all failed, before anything of a response was passed
 * on; not when the caller gave up or the dispatcher was destroyed. A response, also a 503, is an answer and no error.
 *
 * @returns the answer, or undefined to let the error through; also as a promise, for which the deadline does not count
 *   any more. What it throws is ignored in favour of the first error.
 */
export type Fallback = (
  error: Error,
  request: Dispatcher.DispatchOptions,
) => FallbackAnswer | undefined | PromiseLike<FallbackAnswer | undefined>;

/** A request that has failed. */
export interface Failed {
  readonly error: Error;
  readonly request: Dispatcher.DispatchOptions;
}

/** Asks a fallback; `deliver` is called exactly once, at once if the fallback is synchronous. */
export function askFallback(
  fallback: Fallback,
  { error, request }: Failed,
  deliver: (answer: FallbackAnswer | undefined) => void,
): void {
  let answer: ReturnType<Fallback>;
  try {
    answer = fallback(error, request);
  } catch {
    answer = undefined;
  }
  if (isPromise(answer)) {
    answer.then(
      (settled) => deliver(settled),
      () => deliver(undefined),
    );
  } else deliver(answer);
}

/** Headers of an answer in both forms in which handlers look for them. */
export function headersOf({ headers = {} }: FallbackAnswer): {
  readonly parsed: HeaderRecord;
  readonly raw: Buffer[];
} {
  const raw: Buffer[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value])
      raw.push(Buffer.from(name, 'latin1'), Buffer.from(one, 'latin1'));
  }
  return { parsed: { ...headers }, raw };
}

export function bodyOf({ body }: FallbackAnswer): Buffer | undefined {
  if (body === undefined || body.length === 0) return undefined;
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
}

function isPromise(
  answer: ReturnType<Fallback>,
): answer is PromiseLike<FallbackAnswer | undefined> {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function';
}
