import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { type Cluster, type ClusterOptions, createCluster } from '@evenkeel/core';
import type { ListenerOptions, TcpOptions } from '../../index.ts';
import { createProxy, type Proxy } from '../../index.ts';

/** A server on the wire that keeps its sockets. */
export interface TestServer {
  readonly port: number;
  readonly sockets: readonly net.Socket[];
  close(): Promise<void>;
}

export async function tcpServer(onSocket: (socket: net.Socket) => void): Promise<TestServer> {
  const sockets: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await tcpServer(() => undefined);
  await server.close();
  return server.port;
}

export interface TcpFixtureOptions {
  readonly tcp?: Partial<TcpOptions>;
  readonly cluster?: Partial<ClusterOptions>;
  readonly listeners?: readonly ListenerOptions[];
  readonly clusters?: readonly Cluster[];
}

/** A proxy in front of servers that do what the test says. */
export class TcpFixture {
  readonly proxy: Proxy;
  readonly cluster: Cluster;
  readonly #clients: net.Socket[] = [];
  readonly #servers: readonly TestServer[];

  constructor(proxy: Proxy, cluster: Cluster, servers: readonly TestServer[]) {
    this.proxy = proxy;
    this.cluster = cluster;
    this.#servers = servers;
  }

  /** @param servers or ports on which nobody may listen */
  static async start(
    servers: readonly (TestServer | number)[],
    options: TcpFixtureOptions = {},
  ): Promise<TcpFixture> {
    const ports = servers.map((server) => (typeof server === 'number' ? server : server.port));
    const cluster = createCluster({
      name: 'origin',
      policy: 'round-robin',
      discovery: ports.map((port) => `127.0.0.1:${port}`),
      ...options.cluster,
    });
    await cluster.ready();
    const proxy = await createProxy({
      clusters: [cluster, ...(options.clusters ?? [])],
      listeners: options.listeners ?? [
        { listen: '127.0.0.1:0', tcp: { cluster: 'origin', ...options.tcp } },
      ],
    });
    const owned = servers.filter((server): server is TestServer => typeof server !== 'number');
    return new TcpFixture(proxy, cluster, owned);
  }

  get port(): number {
    return this.proxy.addresses[0]!.port;
  }

  get counters(): Proxy['stats']['tcp']['counters'] {
    return this.proxy.stats.tcp.counters;
  }

  /** How many times the outcome was reported, over all endpoints. */
  outcomes(): Readonly<Record<string, number>> {
    const { outcomes } = this.cluster.snapshot().totals;
    return Object.fromEntries(Object.entries(outcomes).filter(([, count]) => count > 0));
  }

  get activeCount(): number {
    return this.cluster.snapshot().totals.activeCount;
  }

  async connect(): Promise<net.Socket> {
    const socket = net.connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    this.#clients.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.proxy.close({ drainTimeoutMs: 0 });
    await this.cluster.close();
    for (const server of this.#servers) await server.close();
  }
}

/** Waits until a condition holds that no event of the test's own tells of. */
export async function until(condition: () => boolean, limitMs = 5_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`${condition.toString()} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** How a socket ends: all that came, and the error if it was not a FIN. */
export async function drainOf(socket: net.Socket): Promise<{ text: string; code: string }> {
  const parts: Buffer[] = [];
  let code = '';
  socket.on('data', (bytes: Buffer) => parts.push(bytes));
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? ''));
  await new Promise<void>((resolve) => {
    if (socket.destroyed || socket.readableEnded) resolve();
    socket.once('end', resolve).once('close', () => resolve());
  });
  return { text: Buffer.concat(parts).toString('latin1'), code };
}

/** Bytes that tell their place, so that a lost, doubled or mixed-up piece is seen. */
export function patternAt(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index++) {
    const place = offset + index;
    bytes[index] = (place ^ (place >>> 8) ^ (place >>> 16) ^ (place >>> 24)) & 255;
  }
  return bytes;
}
