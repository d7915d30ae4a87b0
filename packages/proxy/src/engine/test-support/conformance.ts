/** Tables of messages with what has to become of each, run against a proxy over real sockets. */
import { type Cluster, createCluster } from '@evenkeel/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createProxy, type Proxy, type ProxyOptions } from '../../index.ts';
import { RawClient } from './raw-client.ts';
import { RecordingOrigin } from './recording-origin.ts';

const NEXT = 'GET /next HTTP/1.1\r\nhost: a\r\n\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n';

/** What is sent, and the bytes that have to come out of the proxy. */
export type Accepted = readonly [name: string, sent: string, reached: string];
/** What is sent, and the status of the answer. */
export type Refused = readonly [name: string, sent: string, status: number];

export interface Bench {
  readonly proxy: Proxy;
  readonly origin: RecordingOrigin;
  readonly cluster: Cluster;
  connect(): Promise<RawClient>;
}

/** A proxy in front of an origin, for all tests of a file. */
export function bench(options: Partial<ProxyOptions> = {}): Bench {
  const origin = new RecordingOrigin();
  const clients: RawClient[] = [];
  let proxy: Proxy;
  let cluster: Cluster;
  beforeAll(async () => {
    await origin.listen();
    cluster = createCluster({
      name: 'origin',
      policy: 'round-robin',
      outlierDetection: false,
      discovery: [`127.0.0.1:${origin.port}`],
    });
    await cluster.ready();
    proxy = await createProxy({
      clusters: [cluster],
      via: false,
      listeners: [
        {
          listen: '127.0.0.1:0',
          http: { http2: false, routes: [{ cluster: 'origin', retry: false }] },
        },
      ],
      ...options,
    });
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await proxy.close({ drainTimeoutMs: 500 });
    await cluster.close();
    await origin.close();
  });
  return {
    origin,
    get proxy() {
      return proxy;
    },
    get cluster() {
      return cluster;
    },
    connect: async () => {
      const client = await new RawClient(proxy.addresses[0]!.port).connected();
      clients.push(client);
      return client;
    },
  };
}

export const statusesOf = (received: string): number[] =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Each is passed on, exactly as the table says, and the next request on the connection is, too. */
export function accepts(given: Bench, cases: readonly Accepted[]): void {
  it.each(cases)('%s', async (_, sent, reached) => {
    given.origin.taken();
    const client = await given.connect();
    client.send(sent + NEXT);
    await client.until(() => statusesOf(client.received).length === 2, 'two responses');
    expect(statusesOf(client.received)).toEqual([200, 200]);
    expect(given.origin.taken()).toEqual({ requests: [reached, NEXT], fragments: [] });
    expect(client.ended).toBe(false);
    client.destroy();
  });
}

/** Each is passed on, and the connection ends with its response: what follows is not read. */
export function acceptsLast(given: Bench, cases: readonly Accepted[]): void {
  it.each(cases)('%s', async (_, sent, reached) => {
    given.origin.taken();
    const client = await given.connect();
    client.send(sent + SMUGGLED);
    await client.untilEnd();
    expect(statusesOf(client.received)).toEqual([200]);
    expect(client.received).toMatch(/^connection: close\r$/m);
    expect(given.origin.taken()).toEqual({ requests: [reached], fragments: [] });
    client.destroy();
  });
}

/** Each is answered by the proxy, the connection ends, and nothing of it or of what follows reaches the origin. */
export function refuses(given: Bench, cases: readonly Refused[]): void {
  it.each(cases)('%s', async (_, sent, status) => {
    given.origin.taken();
    const client = await given.connect();
    client.send(sent + SMUGGLED);
    await client.untilEnd();
    expect(statusesOf(client.received)).toEqual([status]);
    expect(client.received).toMatch(/^connection: close\r$/m);
    expect(given.origin.taken()).toEqual({ requests: [], fragments: [] });
    client.destroy();
  });
}
