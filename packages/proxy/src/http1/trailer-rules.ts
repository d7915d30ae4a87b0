/**
 * Which fields may stand in a trailer section: none that a recipient needs before it handles the message, or that frames,
 * routes, authenticates or modifies it (RFC 9110 section 6.5.1). Others pass, as the checksums and statuses that trailers
 * are for.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expires',
  'forwarded',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'via',
  'warning',
  'www-authenticate',
  'x-request-id',
]);

/** Conditions, and who sends a message: whoever merges trailers into the head would believe them. */
const FORBIDDEN_BEGINNING = /^(if-|x-forwarded-|x-real-ip)/;

/** @param name as it was sent; `_` counts as `-`, because some programs take the one for the other */
export function isForbiddenTrailer(name: string): boolean {
  const known = name.toLowerCase().replaceAll('_', '-');
  return FORBIDDEN.has(known) || FORBIDDEN_BEGINNING.test(known);
}
