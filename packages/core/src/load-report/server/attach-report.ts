import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { LOAD_REPORT_HEADER } from '../read-load-report.ts';

/** Where in an answer its report goes. */
export type ReportPlacement = 'header' | 'trailer';

/**
 * Puts a report into an answer of `node:http`, whoever writes it and however: every way to send headers goes through
 * `writeHead`, and every way to end an answer through `end`.
 *
 * A trailer is written with the last byte, so that it tells the load after a long answer, not before it. It needs an
 * answer in chunks (RFC 9112 section 7.1.2): one of a known length, to HTTP/1.0, or without a body has the report in the
 * header instead, and so has one that is handed over in a single `end`, where both would be sent in the same moment.
 *
 * @param valueOf the report as of when it is called
 */
export function attachReport(
  response: ServerResponse,
  placement: ReportPlacement,
  valueOf: () => string,
): void {
  let isEnding = false;
  let isAnnounced = false;
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = ((...args: unknown[]) => {
    if (!response.headersSent) {
      isAnnounced = placement === 'trailer' && !isEnding && canTrail(response, args);
      if (isAnnounced) response.appendHeader('trailer', LOAD_REPORT_HEADER);
      // The report goes with the first bytes: by then the handler may have taken long, and the load is another.
      else response.setHeader(LOAD_REPORT_HEADER, valueOf());
    }
    return writeHead(...args);
  }) as typeof response.writeHead;
  if (placement === 'header') return;
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = ((...args: unknown[]) => {
    isEnding = true;
    if (isAnnounced && !response.writableEnded) {
      response.addTrailers({ [LOAD_REPORT_HEADER]: valueOf() });
    }
    return end(...args);
  }) as typeof response.end;
}

/** Will Node send this answer in chunks? It refuses an announced trailer otherwise. */
function canTrail(response: ServerResponse, [status, ...rest]: readonly unknown[]): boolean {
  const { req, strictContentLength } = response;
  if (typeof status !== 'number' || status < 200 || status === 204 || status === 304) return false;
  if (req.method === 'HEAD' || req.httpVersion !== '1.1' || strictContentLength) return false;
  if (SETTLES_LENGTH.some((name) => response.hasHeader(name))) return false;
  const headers = rest.find((arg) => typeof arg === 'object' && arg !== null);
  // Headers as a list: seldom, and of several forms.
  if (Array.isArray(headers)) return false;
  return Object.keys((headers ?? {}) as OutgoingHttpHeaders).every(
    (name) => !SETTLES_LENGTH.includes(name.toLowerCase()),
  );
}

/** With one of these the application has decided how its answer is framed. `trailer` replaces ours when it comes later. */
const SETTLES_LENGTH: readonly string[] = ['content-length', 'transfer-encoding', 'trailer'];
