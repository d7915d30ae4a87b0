/**
 * Endpoints that are killed, fail fast, hang and come and go, while clients ask through the proxy: no request fails, no
 * client gets somebody else's response, and nothing is left over.
 */
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Cluster, createCluster } from '@evenkeel/core';
import { createProxy, type Proxy } from '../index.ts';

type Behaviour = 'good' | 'unavailable' | 'hangs' | 'resets';

/** An origin that can be told how to behave, and be killed and started again on its port. */
class Origin {
  behaviour: Behaviour = 'good';
  port = 0;
  #server: http.Server | undefined = undefined;

  async start(): Promise<this> {
    const server = http.createServer((request, response) => {
      const { behaviour } = this;
      if (behaviour === 'good') {
        const body = `answer to ${request.url} `.repeat(1 + (Number(request.url?.length) % 40));
        response.end(body);
      } else if (behaviour === 'unavailable') response.writeHead(503).end('no');
      else if (behaviour === 'resets') request.socket.resetAndDestroy();
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    server?.close();
    if (server !== undefined) await once(server, 'close');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('under faults', () => {
  const origins: Origin[] = [];
  let cluster: Cluster;
  let proxy: Proxy;
  const agent = new http.Agent({ keepAlive: true });
  afterEach(async () => {
    agent.destroy();
    await proxy.close({ drainTimeoutMs: 500 });
    await cluster.close();
    await Promise.all(origins.map((origin) => origin.kill()));
  });

  const get = async (path: string): Promise<string> => {
    const request = http.get({ host: '127.0.0.1', port: proxy.addresses[0]?.port, path, agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return `${response.statusCode} ${body}`;
  };

  it('no GET fails, and every client gets its own response', async () => {
    for (let index = 0; index < 6; index++) origins.push(await new Origin().start());
    cluster = createCluster({
      name: 'origin',
      discovery: origins.map(({ port }) => `127.0.0.1:${port}`),
    });
    await cluster.ready();
    proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin' }] } }],
      timeouts: { responseHeadMs: 300 },
    });

    let isRunning = true;
    let count = 0;
    const wrong: string[] = [];
    const worker = async (name: number): Promise<void> => {
      for (let turn = 0; isRunning; turn++) {
        const path = `/${name}/${turn}/${'x'.repeat((name * 17 + turn) % 30)}`;
        const expected = `200 ${`answer to ${path} `.repeat(1 + (path.length % 40))}`;
        const actual = await get(path).catch((error: unknown) => String(error));
        count++;
        if (actual !== expected) wrong.push(`${path}: ${actual.slice(0, 80)}`);
      }
    };
    const workers = Promise.all(Array.from({ length: 24 }, (_, name) => worker(name)));

    const faults: readonly (() => Promise<void> | void)[] = [
      () => void (origins[1]!.behaviour = 'unavailable'),
      () => origins[0]!.kill(),
      () => void (origins[2]!.behaviour = 'resets'),
      () => void (origins[1]!.behaviour = 'good'),
      () => origins[0]!.start().then(() => undefined),
      () => void (origins[2]!.behaviour = 'good'),
      () => void (origins[3]!.behaviour = 'hangs'),
      () => void (origins[3]!.behaviour = 'good'),
      () => origins[4]!.kill(),
      () => origins[4]!.start().then(() => undefined),
    ];
    for (const fault of faults) {
      await fault();
      await pause(400);
    }
    isRunning = false;
    await workers;

    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(200);
    agent.destroy();
    const limit = Date.now() + 5_000;
    while (proxy.stats.clientCount > 0 && Date.now() < limit) await pause(5);
    expect(proxy.stats.clientCount).toBe(0);
    expect(cluster.snapshot().totals.activeCount).toBe(0);
    expect(cluster.snapshot().endpoints.every(({ activeCount }) => activeCount === 0)).toBe(true);
  });
});
