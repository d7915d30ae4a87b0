/** What an error from undici says about the endpoint. */
import { Outcome } from '../../model/outcome.ts';
import { AdmissionError } from '../../resilience/admission-error.ts';

/** Codes of errors that the caller or this client brought about; the endpoint did nothing wrong. */
const OWN_FAULT: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  'UND_ERR_ABORTED',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
]);

const TIME_LIMIT: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** How undici, llhttp, HTTP/2 and TLS name what can go wrong on a connection. */
const TRANSPORT_CODE = /^(?:UND_ERR_|HPE_|ERR_HTTP2_|ERR_SSL_|ERR_TLS_)/;
/** What the system says of a connection that broke. Other system errors (`ENOENT`) come from the caller's own body. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTCONN',
]);

/**
 * @param started whether a connection had taken the request: before that nothing was sent
 */
export function outcomeOfError(error: unknown, started: boolean): Outcome {
  // A limit of our own kept the connection from being made.
  if (error instanceof AdmissionError) return Outcome.cancelled;
  const code = codeOf(error);
  if (OWN_FAULT.has(code)) return Outcome.cancelled;
  if (TIME_LIMIT.has(code)) return Outcome.timeout;
  // Refused, unreachable, unknown name, TLS refused, connect timeout.
  if (!started) return Outcome.connectFailure;
  if (TRANSPORT_CODE.test(code) || SOCKET_CODES.has(code)) return Outcome.reset;
  // Thrown by the caller's handler or by the body that it gave us.
  return Outcome.cancelled;
}

/** Did the caller give up because a time limit of its own passed, as `AbortSignal.timeout()` says it? */
export function isTimeLimit(reason: unknown): boolean {
  return (
    typeof reason === 'object' &&
    reason !== null &&
    (reason as { name?: unknown }).name === 'TimeoutError'
  );
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
