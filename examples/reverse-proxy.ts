/**
 * A reverse proxy in front of three servers. One of them is killed under load, another one answers 503 for a while, and
 * no client sees either.
 *
 * Run: node --conditions=@evenkeel/source examples/reverse-proxy.ts
 */
import { createCluster } from '@evenkeel/core';
import { createProxy } from '@evenkeel/proxy';
import { startServers } from './support/servers.ts';

const names = ['alder', 'beech', 'cedar'];
let isBeechBusy = false;
const servers = await Promise.all(
  names.map((name) =>
    startServers([
      (request, response) => {
        if (name === 'beech' && isBeechBusy) response.statusCode = 503;
        response.end(`${name} for ${String(request.headers['x-forwarded-for'])}`);
      },
    ]),
  ),
);

const web = createCluster({
  name: 'web',
  discovery: servers.flatMap(({ addresses }) => addresses),
});
const proxy = await createProxy({
  clusters: [web],
  listeners: [
    {
      listen: '127.0.0.1:0',
      http: {
        routes: [
          { cluster: 'web' },
          { domains: ['*.example.com'], match: { path: { prefix: '/api/' } }, cluster: 'web' },
        ],
      },
    },
  ],
});
const [address] = proxy.addresses;
const url = `http://127.0.0.1:${address?.port}/`;
console.log(`GET ${url}: ${await (await fetch(url)).text()}`);

await drive('all is well');
const [alder] = servers;
const killed = alder?.close();
await drive('alder is killed');
isBeechBusy = true;
await drive('beech answers 503');
isBeechBusy = false;

const { retryCount, connectCount, reuseCount } = proxy.stats.counters;
console.log(`retries: ${retryCount}; connections: ${connectCount}, used again ${reuseCount} times`);
await killed;
await proxy.close();
await web.close();
await Promise.all(servers.slice(1).map((server) => server.close()));

/** 20 callers, 50 requests each. */
async function drive(title: string): Promise<void> {
  const seen = new Map<string, number>();
  const call = async (): Promise<void> => {
    for (let count = 0; count < 50; count++) {
      const response = await fetch(url);
      const text = await response.text();
      const what = response.ok ? (text.split(' ')[0] ?? '') : `failed with ${response.status}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, call));
  const failedCount = [...seen].reduce(
    (sum, [what, count]) => (what.startsWith('failed') ? sum + count : sum),
    0,
  );
  const shares = [...seen].map(([what, count]) => `${what} ${count}`).toSorted();
  console.log(`${title}: ${shares.join(', ')}; failed: ${failedCount}`);
  if (failedCount > 0) process.exitCode = 1;
}
