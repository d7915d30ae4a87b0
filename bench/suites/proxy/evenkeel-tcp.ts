/** The TCP listener under test, in a process of its own: two endpoints, outlier detection and counters on. */
import { createCluster } from '@evenkeel/core';
import { createProxy } from '@evenkeel/proxy';

const ports = process.argv.slice(2).map(Number);
const origin = createCluster({
  name: 'origin',
  discovery: ports.map((port) => `127.0.0.1:${port}`),
});
await origin.ready();

const proxy = await createProxy({
  clusters: [origin],
  listeners: [{ listen: '127.0.0.1:0', tcp: { cluster: 'origin' } }],
});
process.send?.({ port: proxy.addresses[0]?.port });
process.on('disconnect', () => process.exit());
