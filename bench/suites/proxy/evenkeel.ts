/**
 * The proxy under test, in a process of its own. Full: two endpoints, 20 routes, peak EWMA, outlier detection, retries,
 * request ids. Bare: what is left when all that can be switched off is.
 */
import { createCluster } from '@evenkeel/core';
import { createProxy, type RouteOptions } from '@evenkeel/proxy';

const [mode, ...rest] = process.argv.slice(2);
const origins = rest.filter((argument) => /^\d+$/.test(argument));
/** Certificate and key in one file; undefined for clear text. */
const certificate = rest.find((argument) => argument.endsWith('.pem'));
const isFull = mode === 'full';
const origin = createCluster({
  name: 'origin',
  discovery: origins.map((port) => `127.0.0.1:${port}`),
  ...(isFull ? {} : { policy: 'round-robin', outlierDetection: false }),
});
await origin.ready();

/** As many as HAProxy has in its larger configuration. */
const further: RouteOptions[] = Array.from({ length: isFull ? 20 : 0 }, (_, index) => ({
  match: { path: { prefix: `/route-${index}/` } },
  cluster: 'origin',
}));
const proxy = await createProxy({
  clusters: [origin],
  ...(isFull ? { requestId: true } : { via: false }),
  listeners: [
    {
      listen: '127.0.0.1:0',
      ...(certificate !== undefined && {
        tls: { certificates: [{ certFile: certificate, keyFile: certificate }] },
      }),
      http: { routes: [...further, { cluster: 'origin', ...(isFull ? {} : { retry: false }) }] },
    },
  ],
});
process.send?.({ port: proxy.addresses[0]?.port });
process.on('disconnect', () => process.exit());
