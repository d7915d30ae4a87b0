/** A proxy in a process of its own, for tests of what it does to that process. Its parent asks it for figures. */
import { createCluster } from '@evenkeel/core';
import { createProxy } from '../../index.ts';

const cluster = createCluster({
  name: 'origin',
  outlierDetection: false,
  discovery: [`127.0.0.1:${process.argv[2]}`],
});
await cluster.ready();
const proxy = await createProxy({
  clusters: [cluster],
  listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin', retry: false }] } }],
});
process.on('message', () => {
  const { clientCount, upstreamCount, counters } = proxy.stats;
  process.send?.({
    clientCount,
    upstreamCount,
    requestCount: counters.requestCount,
    residentBytes: process.memoryUsage.rss(),
  });
});
process.on('disconnect', () => process.exit());
process.send?.({ port: proxy.addresses[0]?.port });
