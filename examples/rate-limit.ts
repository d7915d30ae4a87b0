/**
 * A proxy that limits requests for each API key, tells clients how they stand, and changes one limit while the other one
 * keeps its count.
 *
 * Run: node --conditions=@evenkeel/source examples/rate-limit.ts
 */
import { createCluster } from '@evenkeel/core';
import { createProxy, type FilterOptions, type ProxyOptions } from '@evenkeel/proxy';
import { startServers } from './support/servers.ts';

const servers = await startServers([(_, response) => response.end('here you are\n')]);
const api = createCluster({ name: 'api', discovery: servers.addresses });

/** Ten requests at once for each key, and one a minute after that; all keys together `total` requests. */
function options(total: number): ProxyOptions {
  const filters: FilterOptions[] = [
    {
      rateLimit: {
        name: 'key',
        key: [{ header: 'x-api-key' }],
        requestsPerSecond: 1 / 60,
        burst: 10,
      },
    },
    { rateLimit: { name: 'all', key: [], requestsPerSecond: 1, burst: total }, name: 'all' },
  ];
  return {
    clusters: [api],
    listeners: [{ listen: '127.0.0.1:0', http: { filters, routes: [{ cluster: 'api' }] } }],
  };
}

const proxy = await createProxy(options(15));
const url = `http://127.0.0.1:${proxy.addresses[0]?.port}/`;
await ask('alice', 8);
await ask('alice', 8);
await ask('bob', 8);

await proxy.apply(options(100));
console.log('now 100 requests for all keys together, and the keys keep their count');
await ask('alice', 8);
await ask('bob', 8);

for (const { name, status } of proxy.filters) console.log(`${name}: ${JSON.stringify(status)}`);
await proxy.close();
await api.close();
await servers.close();

async function ask(key: string, count: number): Promise<void> {
  const statuses = new Map<number, number>();
  let told = '';
  for (let turn = 0; turn < count; turn++) {
    const response = await fetch(url, { headers: { 'x-api-key': key } });
    await response.text();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    const retryAfter = response.headers.get('retry-after');
    told = `${response.headers.get('ratelimit')}${retryAfter === null ? '' : `, again in ${retryAfter} s`}`;
  }
  const counts = [...statuses].map(([status, times]) => `${times} x ${status}`).join(', ');
  console.log(`${key}: ${counts}; told ${told}`);
}
