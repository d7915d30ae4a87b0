/** How the body of a response is delimited, on the way in and on the way out. */
import { BodyKind } from '../http1/body-pump.ts';
import type { ResponseHead } from '../http1/response-head.ts';

/** RFC 9112 section 6.3. */
export function bodyKindOf({ semantics }: ResponseHead, isBodiless: boolean): BodyKind {
  if (isBodiless) return BodyKind.none;
  if (semantics.chunked) return BodyKind.chunked;
  return semantics.contentLength >= 0 ? BodyKind.length : BodyKind.untilClose;
}

export function framingOf(
  { semantics, status }: ResponseHead,
  isBodiless: boolean,
  rechunk: boolean,
): 'none' | 'length' | 'chunked' {
  if (rechunk) return 'chunked';
  // A HEAD or a 304 may say how long the body would be; a 204 must not (RFC 9110 section 8.6).
  const mayName = !isBodiless || status !== 204;
  return mayName && semantics.contentLength >= 0 ? 'length' : 'none';
}

/** Does a 204 say that it has a body? It must not, and that body may follow (RFC 9110 section 8.6). */
export function contradictsItself({ status, semantics }: ResponseHead): boolean {
  return status === 204 && (semantics.chunked || semantics.contentLength > 0);
}
