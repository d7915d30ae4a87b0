/**
 * A proxy whose options stand in a YAML file. The file is changed while a client keeps its connection: what it says is
 * applied without dropping anything, and a file that is wrong is refused with file, line and reason.
 *
 *   node --conditions=@evenkeel/source examples/config-file.ts
 */
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openProxyFile } from '@evenkeel/proxy';

/** Two versions of a service. */
const servers = ['v1', 'v2'].map((version) =>
  http.createServer((_, response) => response.end(`hello from ${version}`)).listen(0, '127.0.0.1'),
);
await Promise.all(servers.map((server) => once(server, 'listening')));
const [v1, v2] = servers.map((server) => (server.address() as AddressInfo).port);

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const path = join(folder, 'proxy.yaml');

/** Replaced as a whole, as editors and Kubernetes do. */
async function write(cluster: string, more = ''): Promise<void> {
  await writeFile(
    `${path}.new`,
    `
clusters:
  stable: { discovery: ['127.0.0.1:${v1}'] }
  canary: { discovery: ['127.0.0.1:${v2}'] }
listeners:
  - listen: 127.0.0.1:\${PORT:-0}
    http:
      routes:
        - name: everything
          cluster: ${cluster}
          timeout: 2s
${more}`,
  );
  await rename(`${path}.new`, path);
}

/** Settles with the next thing that happens to the file. */
let happened: (what: string) => void = () => undefined;
const next = (): Promise<string> => new Promise((resolve) => (happened = resolve));

await write('stable');
const file = await openProxyFile({
  path,
  onApplied: ({ generation, routes }) =>
    happened(`configuration ${generation}: changed ${routes.changed.join(', ')}`),
  onRefused: ({ message }) => happened(`refused: ${message.replace(folder, '')}`),
});

// One connection for all requests.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
async function ask(): Promise<void> {
  const { port } = file.proxy.addresses[0] ?? { port: 0 };
  const request = http.get({ host: '127.0.0.1', port, agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  for await (const chunk of response) console.log(`  ${String(chunk)}`);
}

await ask();

let event = next();
await write('canary');
console.log(await event);
await ask();

event = next();
await write('nobody', 'timeouts: { head: 5000 }\n');
console.log(await event);
await ask();

const { generation, lastError } = file.status;
console.log(
  `in force is configuration ${generation}, the file is ${lastError ? 'wrong' : 'right'}`,
);
console.log(`connections of clients so far: ${file.proxy.stats.counters.acceptedCount}`);

agent.destroy();
await file.close();
for (const server of servers) server.close();
await rm(folder, { recursive: true });
