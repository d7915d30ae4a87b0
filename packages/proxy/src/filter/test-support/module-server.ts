/** A proxy with a filter of a module, and its endpoint, in a process of its own. Takes the folder of the module. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createCluster } from '@evenkeel/core';
import { createProxy, type Proxy } from '../../index.ts';

const [, , folder = ''] = process.argv;
let proxy: Proxy | undefined = undefined;

const server = createServer((request, response) => {
  if (request.url === '/-/status') response.end(JSON.stringify(proxy?.filters[0]?.status));
  else response.end(`${request.url} ${String(request.headers['x-before'])}`);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const cluster = createCluster({
  name: 'origin',
  discovery: [`127.0.0.1:${(server.address() as AddressInfo).port}`],
});
await cluster.ready();
proxy = await createProxy({
  clusters: [cluster],
  listeners: [
    {
      listen: '127.0.0.1:0',
      http: {
        filters: [{ module: { path: join(folder, 'tenant.ts') } }],
        routes: [
          { match: { path: { exact: '/-/status' } }, cluster: 'origin', skipFilters: ['module'] },
          { cluster: 'origin' },
        ],
      },
    },
  ],
});
process.send?.({ port: proxy.addresses[0]?.port });
