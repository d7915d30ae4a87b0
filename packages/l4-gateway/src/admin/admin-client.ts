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
  const fail = (cause: Error): void =>
    reject(
      new EvenkeelError(
        'EVENKEEL_CONNECT',
        `no gateway "${name}" answers at ${socketPath(name)} (${cause.message}): is it running, and under this name?`,
        { cause },
      ),
    );
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
