import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
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
export async function readLines(
  name: string,
  path: string,
  options: { readonly stop: AbortSignal; readonly handle: (line: string) => boolean },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request({ socketPath: socketPath(name), path, agent: false }, resolve);
  asked.on('error', (cause) => reject(notRunning(name, cause)));
  asked.end();
  const response = await promise;
  const end = (): void => void asked.destroy();
  options.stop.addEventListener('abort', end);
  try {
    for await (const line of createInterface({ input: response })) {
      if (response.statusCode !== 200) throw new EvenkeelError('EVENKEEL_CONFIG', line);
      if (!options.handle(line)) break;
    }
  } catch (error) {
    // A connection that we ended ourselves ends with an error.
    if (!options.stop.aborted) throw error;
  } finally {
    options.stop.removeEventListener('abort', end);
    end();
  }
}

function notRunning(name: string, cause: Error): EvenkeelError {
  return new EvenkeelError(
    'EVENKEEL_CONNECT',
    `no gateway "${name}" answers at ${socketPath(name)} (${cause.message}): is it running, and under this name?`,
    { cause },
  );
}
