/**
 * Filters of one's own. `support/tenant-filter.ts` is one that was written with types. Another one is written while the
 * proxy runs, changed, and broken: requests go on all the time.
 *
 * Run: node --conditions=@evenkeel/source examples/custom-filter.ts
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCluster } from '@evenkeel/core';
import { createProxy } from '@evenkeel/proxy';
import { startServers } from './support/servers.ts';

const servers = await startServers([
  (request, response) =>
    response.end(`${request.url}, said politely: ${String(request.headers['x-greeting'])}`),
]);
const web = createCluster({ name: 'web', discovery: servers.addresses });

const folder = await mkdtemp(join(tmpdir(), 'evenkeel-example-'));
const path = join(folder, 'greeting.ts');
const write = (word: string): Promise<void> =>
  writeFile(
    path,
    `import type { FilterRequest } from '@evenkeel/proxy/filter';
     export const createFilter = () => ({
       name: 'greeting',
       onRequest(request: FilterRequest): undefined {
         request.headers.set('x-greeting', ${JSON.stringify(word)});
       },
     });`,
  );
await write('good morning');

const tenant = {
  path: join(import.meta.dirname, 'support', 'tenant-filter.ts'),
  options: { header: 'x-tenant', tenants: ['blue', 'green'] },
};
const proxy = await createProxy({
  clusters: [web],
  listeners: [
    {
      listen: '127.0.0.1:0',
      http: {
        filters: [
          { module: tenant, name: 'tenant' },
          { module: { path }, name: 'greeting' },
        ],
        routes: [{ cluster: 'web' }],
      },
    },
  ],
});

await ask('blue');
await ask('red');
await write('good evening');
await until('reloadCount', 1);
await ask('green');
await writeFile(path, 'export const createFilter = (');
await until('failedReloadCount', 1);
console.log(`the filter before stays: ${String(status()['lastFailure'])}`);
await ask('green');

await proxy.close();
await web.close();
await servers.close();
await rm(folder, { recursive: true });

async function ask(tenant: string): Promise<void> {
  const url = `http://127.0.0.1:${proxy.addresses[0]?.port}/orders`;
  const response = await fetch(url, { headers: { 'x-tenant': tenant } });
  console.log(`${tenant}: ${response.status} ${(await response.text()).trim()}`);
}

function status(): Readonly<Record<string, unknown>> {
  return proxy.filters.find(({ name }) => name === 'greeting')?.status ?? {};
}

async function until(counter: string, count: number): Promise<void> {
  const limitMs = performance.now() + 10_000;
  while (status()[counter] !== count) {
    if (performance.now() > limitMs) throw new Error(`${counter} is not ${count}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
