/**
 * May an endpoint be asked twice? By its method (RFC 9110 section 9.2.2), or because the caller says so: a POST that
 * carries an idempotency key, a gRPC call that only reads.
 */

/** The idempotent methods of RFC 9110, and QUERY, whose specification calls it safe and idempotent. */
export const IDEMPOTENT_METHODS: readonly string[] = Object.freeze([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
  'QUERY',
]);

const IDEMPOTENT: ReadonlySet<string> = new Set(IDEMPOTENT_METHODS);

/** Method names are case-sensitive: `get` is some other method, of which nothing is known. */
export function isIdempotentMethod(method: string): boolean {
  return IDEMPOTENT.has(method);
}
