/** A client that keeps its connection: each line of its input is a request, answered with who answered, or with an error. */
import { Agent, get } from 'node:http';
import { createInterface } from 'node:readline';

const [host, port] = process.argv.slice(2) as [string, string];
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function ask(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const outgoing = get({ host, port, agent, timeout: 5_000 }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => resolve(String(Buffer.concat(chunks)).split(' ')[0] ?? ''));
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 5 s')));
  outgoing.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  return promise;
}

process.stdout.write('ready\n');
const lines = createInterface({ input: process.stdin });
lines.on('line', () => {
  void ask().then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
});
lines.on('close', () => agent.destroy());
