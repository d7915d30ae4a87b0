/** A proxy whose options a test changes, and clients of it. */
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { RawClient } from '../../engine/test-support/raw-client.ts';
import { createProxy, type ListenerOptions, type Proxy, type ProxyOptions } from '../../index.ts';
import { closeOrigins, type NamedOrigin } from './origins.ts';

/** An address with any free port. */
export const ANY = '127.0.0.1:0';

export const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

/** A listener that sends everything to one cluster. */
export const http = (cluster: string, listen: string = ANY): ListenerOptions => ({
  listen,
  http: { routes: [{ cluster }] },
});

/** Of one test at a time. */
export class Applying {
  #proxy: Proxy | undefined = undefined;
  readonly #clients: RawClient[] = [];

  get proxy(): Proxy {
    return this.#proxy as Proxy;
  }

  /** @returns the options, to be changed */
  async start(
    origins: readonly NamedOrigin[],
    options: Partial<ProxyOptions> = {},
  ): Promise<ProxyOptions> {
    const made: ProxyOptions = {
      clusters: origins.map(({ cluster }) => cluster),
      listeners: [http(origins[0]!.cluster.name)],
      ...options,
    };
    this.#proxy = await createProxy(made);
    return made;
  }

  portOf(at = 0): number {
    return this.proxy.addresses[at]!.port;
  }

  async connect(port: number = this.portOf()): Promise<RawClient> {
    const client = new RawClient(port);
    this.#clients.push(client);
    return client.connected();
  }

  /** One request and its answer, over a connection of its own. */
  async answerAt(port: number, path = '/'): Promise<string> {
    const client = await this.connect(port);
    client.send(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    await client.until(({ received }) => /\r\n\r\n./.test(received), 'an answer');
    return client.received;
  }

  /** Of the proxy's, in the names of clusters. */
  connectionsTo(cluster: string): number {
    return this.proxy.stats.upstreams
      .filter((upstream) => upstream.cluster === cluster)
      .reduce((sum, { connectionCount }) => sum + connectionCount, 0);
  }

  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    await this.#proxy?.close({ drainTimeoutMs: 0 });
    this.#proxy = undefined;
    await closeOrigins();
  }
}

export async function isRefused(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
