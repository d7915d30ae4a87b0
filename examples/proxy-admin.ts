/**
 * A proxy with its admin API: what it shows, a request explained, an endpoint taken out while traffic flows, metrics in the
 * format of Prometheus, and a drain. The same address has a page for browsers.
 *
 * Run: node --conditions=@evenkeel/source examples/proxy-admin.ts
 */
import { createCluster } from '@evenkeel/core';
import { createMetrics } from '@evenkeel/core/metrics';
import { createProxy } from '@evenkeel/proxy';
import { createAdmin } from '@evenkeel/proxy/admin';
import { createProxyMetrics } from '@evenkeel/proxy/metrics';
import { startServers } from './support/servers.ts';

const TOKEN = 'not-a-secret-in-an-example';

const servers = await startServers([
  (_, response) => response.end('alder'),
  (_, response) => response.end('beech'),
]);
const web = createCluster({ name: 'web', discovery: servers.addresses });
const proxy = await createProxy({
  clusters: [web],
  listeners: [
    {
      listen: '127.0.0.1:0',
      http: { routes: [{ name: 'api', match: { path: { prefix: '/api/' } }, cluster: 'web' }] },
    },
  ],
});

// Clusters tell about endpoints, the proxy about routes: one registry has both.
const { registry } = createMetrics({ clusters: [web] });
createProxyMetrics({ proxies: [proxy], registry });
const admin = await createAdmin({
  proxy,
  listen: '127.0.0.1:0',
  token: TOKEN,
  metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
});
const { host, port } = admin.address;
console.log(`the page is at http://${host}:${port}/`);

await visit(20);
console.log(`GET /readyz: ${await (await fetch(`http://${host}:${port}/readyz`)).text()}`.trim());
console.log(`without the token: ${(await fetch(`http://${host}:${port}/api/overview`)).status}`);

const { route, reason } = await ask<Explained>('POST', '/api/explain', { path: '/api/users?x=1' });
console.log(`a request to /api/users goes by the route '${route}': ${reason}`);

const [first = ''] = servers.addresses;
const path = `/api/clusters/web/endpoints/${encodeURIComponent(first)}`;
const { state, reason: why } = await ask<Endpoint>('PATCH', path, { enabled: false });
console.log(`one endpoint is ${state}: ${why}`);
console.log(`20 requests went to: ${(await visit(20)).join(', ')}`);
await ask('PATCH', path, { enabled: true });

const metrics = await get('/metrics');
for (const name of ['evenkeel_proxy_requests_total', 'evenkeel_cluster_requests_total'])
  console.log(metrics.split('\n').find((line) => line.startsWith(`${name}{`)));

await ask('POST', '/api/drain');
console.log(`drained: ${(await get('/readyz')).trim()}`);
await admin.close();
await proxy.close();
await web.close();
await servers.close();

/** @returns who has answered */
async function visit(count: number): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (let turn = 0; turn < count; turn++)
    seen.add(await (await fetch(`http://127.0.0.1:${proxy.addresses[0]?.port}/api/x`)).text());
  return [...seen].sort();
}

async function get(target: string): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await fetch(`http://${host}:${port}${target}`, { headers })).text();
}

async function ask<Answer>(method: string, target: string, body?: object): Promise<Answer> {
  const response = await fetch(`http://${host}:${port}${target}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Answer;
}

interface Explained {
  readonly route: string;
  readonly reason: string;
}

interface Endpoint {
  readonly state: string;
  readonly reason: string;
}
