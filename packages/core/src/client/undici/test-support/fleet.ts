/** A few servers, the real cluster over them and a dispatcher, all closed again at the end. */
import type { RequestListener } from 'node:http';
import { createCluster } from '../../../cluster/create-cluster.ts';
import type { Cluster } from '../../../cluster/face.ts';
import type { ClusterOptions } from '../../../config/cluster-config.ts';
import { staticEndpoints } from '../../../discovery/static/static-endpoints.ts';
import type { EndpointInput } from '../../../model/endpoint.ts';
import { createDispatcher, type EvenkeelDispatcher } from '../index.ts';
import type { DispatcherOptions } from '../options.ts';
import { FakeCluster, type FakeClusterOptions } from './fake-cluster.ts';
import { startServer, type TestServer, type TestServerOptions } from './test-server.ts';

export interface Fleet {
  readonly servers: readonly TestServer[];
  readonly cluster: Cluster;
  readonly dispatcher: EvenkeelDispatcher;
  /** Requests in flight according to the cluster. */
  active(): number;
  /** Finished requests of a server by outcome. */
  outcomes(server: number): Record<string, number>;
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly servers?: number;
  /** Instead of the servers' addresses. */
  readonly endpoints?: (servers: readonly TestServer[]) => EndpointInput[];
  readonly cluster?: Partial<ClusterOptions>;
  readonly dispatcher?: Partial<DispatcherOptions>;
}

export async function startFleet(options: FleetOptions = {}): Promise<Fleet> {
  const servers = await Promise.all(
    Array.from({ length: options.servers ?? 1 }, () => startServer()),
  );
  const endpoints = options.endpoints?.(servers) ?? servers.map((server) => server.address);
  const cluster = createCluster({
    name: 'users',
    discovery: staticEndpoints(endpoints),
    ...options.cluster,
  });
  const dispatcher = createDispatcher({ clusters: [cluster], ...options.dispatcher });
  return {
    servers,
    cluster,
    dispatcher,
    active: () =>
      cluster.snapshot().endpoints.reduce((sum, { activeCount }) => sum + activeCount, 0),
    outcomes: (index) => {
      const address = servers[index]?.address;
      const found = cluster.snapshot().endpoints.find(({ id }) => id === address);
      return Object.fromEntries(
        Object.entries(found?.outcomes ?? {}).filter(([, count]) => count > 0),
      );
    },
    close: async () => {
      await dispatcher.destroy();
      await cluster.close();
      await Promise.all(servers.map((server) => server.kill()));
    },
  };
}

/** A dispatcher over a cluster that the test controls. */
export interface Scripted {
  readonly cluster: FakeCluster;
  readonly dispatcher: EvenkeelDispatcher;
}

/** Collects what a test opened, to be closed in reverse order, also when it fails. */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  async fleet(options?: FleetOptions): Promise<Fleet> {
    const fleet = await startFleet(options);
    this.add(() => fleet.close());
    return fleet;
  }

  /** A server, closed at the end. */
  async server(listener?: RequestListener, options?: TestServerOptions): Promise<TestServer> {
    const server = await startServer(listener, options);
    this.add(() => server.kill());
    return server;
  }

  /** A dispatcher over a fake cluster, destroyed at the end. */
  over(
    endpoints: readonly EndpointInput[],
    options: Partial<DispatcherOptions> = {},
    how: Omit<FakeClusterOptions, 'endpoints'> = {},
  ): Scripted {
    const cluster = new FakeCluster({ endpoints, ...how });
    const dispatcher = createDispatcher({ clusters: [cluster], ...options });
    this.add(() => dispatcher.destroy());
    return { cluster, dispatcher };
  }

  add(close: () => unknown): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
