import { type Cluster, type ClusterOptions, createCluster } from '@evenkeel/core';
import { createProxy, type Proxy, type ProxyOptions } from '../../index.ts';
import { RawClient } from './raw-client.ts';
import { type OriginConnection, scriptedOrigin, type ScriptedOrigin } from './scripted-origin.ts';

export interface FixtureOptions {
  readonly proxy?: Partial<ProxyOptions>;
  /** The same, where it depends on the cluster. */
  readonly proxyOf?: (cluster: Cluster) => Partial<ProxyOptions>;
  readonly cluster?: Partial<ClusterOptions>;
  /** The same, where it depends on the ports of the origins. */
  readonly clusterOf?: (ports: readonly number[]) => Partial<ClusterOptions>;
  readonly origins?: number;
  readonly onConnect?: (connection: OriginConnection, origin: number) => void;
}

/** A proxy in front of origins that do what the test says. */
export class ProxyFixture {
  readonly proxy: Proxy;
  readonly cluster: Cluster;
  readonly origins: readonly ScriptedOrigin[];
  readonly #clients: RawClient[] = [];

  constructor(proxy: Proxy, cluster: Cluster, origins: readonly ScriptedOrigin[]) {
    this.proxy = proxy;
    this.cluster = cluster;
    this.origins = origins;
  }

  static async start(
    onData: (connection: OriginConnection, origin: number) => void,
    options: FixtureOptions = {},
  ): Promise<ProxyFixture> {
    const origins = await Promise.all(
      Array.from({ length: options.origins ?? 1 }, (_, index) =>
        scriptedOrigin(
          (connection) => onData(connection, index),
          (connection) => options.onConnect?.(connection, index),
        ),
      ),
    );
    const cluster = createCluster({
      name: 'origin',
      policy: 'round-robin',
      discovery: origins.map(({ port }) => `127.0.0.1:${port}`),
      ...options.cluster,
      ...options.clusterOf?.(origins.map(({ port }) => port)),
    });
    await cluster.ready();
    const proxy = await createProxy({
      clusters: [cluster],
      listeners: [{ listen: '127.0.0.1:0', http: { routes: [{ cluster: 'origin' }] } }],
      ...options.proxy,
      ...options.proxyOf?.(cluster),
    });
    return new ProxyFixture(proxy, cluster, origins);
  }

  get port(): number {
    return this.proxy.addresses[0]!.port;
  }

  /** All that came over all connections to an origin. */
  receivedBy(origin: number): string {
    return this.origins[origin]!.connections.map(({ received }) => received).join('');
  }

  /** Waits until a condition holds that no event of the test's own tells of. */
  async until(condition: () => boolean): Promise<void> {
    const limit = Date.now() + 5_000;
    while (!condition()) {
      if (Date.now() > limit) throw new Error(`${condition.toString()} did not come true`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async connect(): Promise<RawClient> {
    const client = await new RawClient(this.port).connected();
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.proxy.close({ drainTimeoutMs: 1_000 });
    await this.cluster.close();
    for (const origin of this.origins) await origin.close();
  }
}
