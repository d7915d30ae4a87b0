import { request } from 'node:http';
import { EvenkeelError } from '@evenkeel/core';
import { socketPath } from './admin-server.ts';

const TIMEOUT_MS = 5_000;

/**
 * Asks the gateway of a name, on this machine.
 *
 * @throws EvenkeelError `EVENKEEL_CONNECT` when none runs, `EVENKEEL_CONFIG` for a question that it does not understand
 */
export function askGateway(name: string, path: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const fail = (cause: Error): void => reject(notRunning(name, cause));
  const asked = request(
    { socketPath: socketPath(name), path, timeout: TIMEOUT_MS, agent: false },
    (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(body));
        else reject(new EvenkeelError('EVENKEEL_CONFIG', body.trim()));
      });
    },
  );
  asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
  asked.on('error', fail);
  asked.end();
  return promise;
}

/**
 * Reads lines that a gateway sends until `stop`, or until `handle` returns false.
 *
 * @throws EvenkeelError as {@link askGateway}
 */
export function readLines(
  name: string,
  path: string,
  { stop, handle }: { readonly stop: AbortSignal; readonly handle: (line: string) => boolean },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const asked = request({ socketPath: socketPath(name), path, agent: false }, (response) => {
    let rest = '';
    const end = (): void => {
      stop.removeEventListener('abort', end);
      response.destroy();
      resolve();
    };
    stop.addEventListener('abort', end);
    response.setEncoding('utf8');
    // Ended by us, it ends with an error; ended by the gateway, that is the end as well.
    response.on('error', end);
    response.on('end', end);
    response.on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (response.statusCode !== 200) reject(new EvenkeelError('EVENKEEL_CONFIG', line));
        else if (handle(line)) continue;
        end();
        return;
      }
    });
  });
  asked.on('error', (cause) => reject(notRunning(name, cause)));
  asked.end();
  return promise;
}

function notRunning(name: string, cause: Error): EvenkeelError {
  return new EvenkeelError(
    'EVENKEEL_CONNECT',
    `no gateway "${name}" answers at ${socketPath(name)} (${cause.message}): is it running, and under this name?`,
    { cause },
  );
}
