/** The proxy under test, in a process of its own: two endpoints, outlier detection, retries and counters on. */
import { createCluster } from '@evenkeel/core';
import { createProxy, type RouteOptions } from '@evenkeel/proxy';

const ports = process.argv.slice(2).map(Number);
const origin = createCluster({
  name: 'origin',
  discovery: ports.map((port) => `127.0.0.1:${port}`),
});
await origin.ready();

/** As many as HAProxy has in its larger configuration. */
const routes: RouteOptions[] = Array.from({ length: 20 }, (_, index) => ({
  match: { path: { prefix: `/route-${index}/` } },
  cluster: 'origin',
}));
const proxy = await createProxy({
  clusters: [origin],
  listeners: [{ listen: '127.0.0.1:0', http: { routes: [...routes, { cluster: 'origin' }] } }],
});
process.send?.({ port: proxy.addresses[0]?.port });
process.on('disconnect', () => process.exit());
