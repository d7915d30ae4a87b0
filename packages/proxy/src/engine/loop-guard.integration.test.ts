/** A proxy whose endpoint is itself, over real sockets. */
import { type Cluster, createCluster } from '@evenkeel/core';
import { afterEach, describe, expect, it } from 'vitest';
import { createProxy, type Proxy, type ProxyOptions } from '../index.ts';
import { RawClient } from './test-support/raw-client.ts';

const LISTEN = '127.0.0.1:0';

let proxy: Proxy;
let cluster: Cluster;
let client: RawClient;
afterEach(async () => {
  client.socket.destroy();
  await proxy.close({ drainTimeoutMs: 0 });
  await cluster.close();
});

/** @returns what the client of a request gets */
async function ask(lines: string, options: Partial<ProxyOptions> = {}): Promise<string> {
  const routes = [{ respond: { status: 200 } }];
  proxy = await createProxy({ clusters: [], listeners: [{ listen: LISTEN, http: { routes } }] });
  const [address] = proxy.addresses;
  cluster = createCluster({ name: 'self', discovery: [`127.0.0.1:${address?.port}`] });
  await cluster.ready();
  await proxy.apply({
    clusters: [cluster],
    listeners: [{ listen: LISTEN, http: { routes: [{ cluster: 'self' }] } }],
    ...options,
  });
  client = await new RawClient(address?.port ?? 0).connected();
  client.send(`GET / HTTP/1.1\r\nhost: a\r\n${lines}\r\n`);
  await client.untilText('\r\n\r\n');
  return client.received.split('\r\n', 1)[0] as string;
}

describe('a request that comes back to the proxy that it came from', () => {
  it('ends after it has been there as often as it may', async () => {
    expect(await ask('')).toBe('HTTP/1.1 508 Loop Detected');
    // Eight that are passed on, and the one that finds them in `via`.
    expect(proxy.stats.counters).toMatchObject({ requestCount: 9, refusals: { loop: 1 } });
  });

  it('ends where it has to by HTTP/2, too', async () => {
    const upstreams = { self: { http2: true } };
    expect(await ask('', { upstreams, limits: { maxPasses: 3 } })).toMatch(/^HTTP\/1.1 508/);
    expect(proxy.stats.counters).toMatchObject({ requestCount: 4, refusals: { loop: 1 } });
  });

  it.each([
    ['via: 1.0 front, 1.1 edge (it, 1.1 was)\r\nvia: HTTP/2.0 EDGE:80, 1.1 EDGE\r\n', 1],
    ['via: 1.1 other, 1.1 edge2\r\nvia:\r\nvia: edge\r\n', 3],
  ])('counts the names in %j', async (lines, requestCount) => {
    expect(await ask(lines, { via: 'edge', limits: { maxPasses: 2 } })).toMatch(/^HTTP\/1.1 508/);
    expect(proxy.stats.counters.requestCount).toBe(requestCount);
  });
});
