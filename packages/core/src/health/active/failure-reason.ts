import { messageOf } from '../../error/evenkeel-error.ts';

const MAX_REASON_LENGTH = 200;

/**
 * What stopped a connection, in a few words that stay the same from check to check (no addresses, no counters), so that
 * logs can be searched and events compared:
 *
 * | error | reason |
 * |---|---|
 * | ECONNREFUSED of connect | `connect ECONNREFUSED` |
 * | ENOTFOUND of getaddrinfo | `getaddrinfo ENOTFOUND` |
 * | ECONNRESET of read | `connection reset (waiting for the answer)` |
 * | the other side ended it | `connection closed (reading the answer)` |
 * | an expired certificate | `TLS CERT_HAS_EXPIRED` |
 * | HPE_INVALID_CONSTANT | `the answer is not HTTP (HPE_INVALID_CONSTANT)` |
 */
export function failureReason(error: Error, step: string): string {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined) return messageOf(error).slice(0, MAX_REASON_LENGTH);
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  // An end without an error of the system is given out as a reset; only a real one names a system call.
  if (code === 'ECONNRESET' && syscall === undefined) return `connection closed (${step})`;
  if (code === 'ECONNRESET' || code === 'EPIPE') return `connection reset (${step})`;
  if (isTlsCode(code)) return `TLS ${code}`;
  if (syscall !== undefined) return `${syscall} ${code}`;
  // Several addresses of one name failed: node gives their common code.
  if (error instanceof AggregateError) return `connect ${code}`;
  return `${code} (${step})`;
}

/** OpenSSL's verification results have no common prefix; node's own and the library's have. EPROTO: no TLS at all. */
function isTlsCode(code: string): boolean {
  return /^ERR_(TLS|SSL|OSSL)_|CERT|SELF_SIGNED|^UNABLE_TO_|^EPROTO$/.test(code);
}
