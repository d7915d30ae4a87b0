import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBE_PATH } from '../load-report.ts';
import { encodeProbeAnswer } from '../probe-answer.ts';
import type { LoadReporter } from './load-reporter.ts';

export interface ProbeHandlerOptions {
  /** Path that answers probes, without query. Default `/.evenkeel/probe`. */
  readonly path?: string | undefined;
}

/**
 * Answers the probes of Prequal with what a reporter knows. Takes them out before they are counted as requests, so it
 * stands in front of the reporter:
 *
 * ```ts
 * const reporter = createLoadReporter();
 * const probe = createProbeHandler(reporter);
 * const handler = reporter.wrap(application);
 * createServer((request, response) => probe(request, response) || handler(request, response));
 *
 * app.use(createProbeHandler(reporter)); // Express and its like: before `app.use(reporter.middleware)`
 * ```
 *
 * Whoever reaches the path learns how busy the server is; give it a port or a path of its own where that matters.
 *
 * @returns whether the request was a probe, and is answered
 */
export function createProbeHandler(
  reporter: Pick<LoadReporter, 'probeAnswer'>,
  { path = PROBE_PATH }: ProbeHandlerOptions = {},
): (request: IncomingMessage, response: ServerResponse, next?: () => unknown) => boolean {
  return (request, response, next) => {
    if (!isProbe(request, path)) {
      next?.();
      return false;
    }
    const body = encodeProbeAnswer(reporter.probeAnswer());
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
      'cache-control': 'no-store',
    });
    response.end(body);
    return true;
  };
}

function isProbe({ method, url = '' }: IncomingMessage, path: string): boolean {
  if (method !== 'GET' || !url.startsWith(path)) return false;
  return url.length === path.length || url.charAt(path.length) === '?';
}
