import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Cluster, createCluster } from '@evenkeel/core';
import { createProxy, type Proxy, type ProxyOptions, type RouteOptions } from '../../index.ts';
import type { FilterOptions } from '../filter-list.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What the endpoint was asked. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface FilteredOptions {
  readonly filters?: readonly FilterOptions[];
  readonly routes?: readonly RouteOptions[];
  readonly proxy?: Partial<ProxyOptions>;
  readonly clusters?: readonly Cluster[];
}

/** A proxy with filters, in front of a server of Node's own. */
export class FilteredProxy {
  readonly proxy: Proxy;
  readonly cluster: Cluster;
  readonly seen: Seen[] = [];
  respond: (request: Seen, response: ServerResponse) => void = (_, response) => response.end('ok');
  readonly #server: Server;
  readonly #more: readonly Cluster[];

  private constructor(
    proxy: Proxy,
    cluster: Cluster,
    parts: { server: Server; more: readonly Cluster[] },
  ) {
    this.proxy = proxy;
    this.cluster = cluster;
    this.#server = parts.server;
    this.#more = parts.more;
    this.#server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      void bytesOf(incoming).then(
        (body) => {
          const { method = '', url = '', headers } = incoming;
          const seen = { method, url, headers, body };
          this.seen.push(seen);
          this.respond(seen, response);
        },
        () => response.destroy(),
      );
    });
  }

  static async start(options: FilteredOptions): Promise<FilteredProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cluster = createCluster({ name: 'origin', discovery: [`127.0.0.1:${port}`] });
    await cluster.ready();
    const more = options.clusters ?? [];
    const proxy = await createProxy(optionsOf([cluster, ...more], options));
    return new FilteredProxy(proxy, cluster, { server, more });
  }

  get url(): string {
    return `http://127.0.0.1:${this.proxy.addresses[0]!.port}`;
  }

  /** Takes other filters over. The port stays. */
  async apply(options: FilteredOptions): Promise<void> {
    await this.proxy.apply(optionsOf([this.cluster, ...this.#more], options));
  }

  async ask(
    path = '/',
    how: {
      method?: string;
      headers?: Record<string, string>;
      body?: Buffer | string | readonly Buffer[];
    } = {},
  ): Promise<Answer> {
    const { method = 'GET', headers = {}, body } = how;
    const outgoing = request(`${this.url}${path}`, { method, headers, agent: false });
    if (Array.isArray(body)) {
      for (const chunk of body as readonly Buffer[]) outgoing.write(chunk);
      outgoing.end();
    } else outgoing.end(body as string | undefined);
    // A refused upload ends with a broken pipe after the answer.
    outgoing.on('error', () => undefined);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return {
      status: incoming.statusCode!,
      headers: incoming.headers,
      body: await bytesOf(incoming),
    };
  }

  statusOf(name: string): Readonly<Record<string, unknown>> | undefined {
    return this.proxy.filters.find((filter) => filter.name === name)?.status;
  }

  async close(): Promise<void> {
    await this.proxy.close({ drainTimeoutMs: 1_000 });
    await this.cluster.close();
    for (const cluster of this.#more) await cluster.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function optionsOf(
  clusters: readonly Cluster[],
  { filters, routes, proxy }: FilteredOptions,
): ProxyOptions {
  const http = { routes: routes ?? [{ cluster: 'origin' }], ...(filters && { filters }) };
  return { clusters, listeners: [{ listen: '127.0.0.1:0', http }], ...proxy };
}

async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
