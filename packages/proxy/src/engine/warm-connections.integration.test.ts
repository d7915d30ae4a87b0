/** Connections that are there before requests are, over real sockets. */
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createCluster } from '@evenkeel/core';
import { afterEach, describe, expect, it } from 'vitest';
import { Applying, get } from '../proxy/test-support/applying.ts';
import { type NamedOrigin, namedOrigin } from '../proxy/test-support/origins.ts';
import { until } from '../tcp/test-support/tcp-fixture.ts';

const test = new Applying();
afterEach(() => test.close());

const warm = (count: number): { upstreams: { a: { warmConnections: number } } } => ({
  upstreams: { a: { warmConnections: count } },
});
const openAt = ({ origin }: NamedOrigin): number =>
  origin.connections.filter(({ socket }) => !socket.destroyed).length;

describe('warm connections', () => {
  it('are there before the first request, which takes one of them', async () => {
    const a = await namedOrigin('a');
    await test.start([a], warm(2));
    await until(() => openAt(a) === 2);
    const client = await test.connect();
    await client.send(get('/1')).untilText('a/1');
    expect(a.origin.connections).toHaveLength(2);
    expect(test.proxy.stats.counters).toMatchObject({ connectCount: 2, reuseCount: 1 });
  });

  it('are made anew when they are gone, and are no more than there may be', async () => {
    const a = await namedOrigin('a');
    await test.start([a], { ...warm(9), limits: { maxConnectionsPerEndpoint: 3 } });
    await until(() => openAt(a) === 3);
    a.origin.connections[0]?.socket.destroy();
    await until(() => a.origin.connections.length === 4);
    expect(openAt(a)).toBe(3);
  });

  it('come and go with the configuration, and not to endpoints that are switched off', async () => {
    const a = await namedOrigin('a');
    const options = await test.start([a]);
    expect(test.connectionsTo('a')).toBe(0);
    await test.proxy.apply({ ...options, ...warm(1) });
    await until(() => openAt(a) === 1);
    a.cluster.setEnabled(a.cluster.snapshot().endpoints[0]?.id ?? '', false);
    await test.proxy.apply({ ...options, ...warm(2) });
    const client = await test.connect();
    // The state of the endpoint is looked at in the very step in which the configuration comes into force.
    await client.send(get('/1')).untilText('503');
    expect(a.origin.connections).toHaveLength(1);
  });

  it('are sessions where endpoints speak HTTP/2: one, for as many streams as it takes', async () => {
    const server = http2.createServer((_, response) => void response.end('h2'));
    let sessionCount = 0;
    server.on('session', () => sessionCount++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cluster = createCluster({ name: 'a', discovery: [`127.0.0.1:${port}`] });
    await cluster.ready();
    await test.start([{ cluster } as NamedOrigin], {
      upstreams: { a: { http2: true, warmConnections: 3 } },
    });
    await until(() => sessionCount === 1);
    const client = await test.connect();
    await client.send(get('/1')).untilText('h2');
    expect(sessionCount).toBe(1);
    await test.close();
    server.close();
    await cluster.close();
  });
});
