/** Connections on real sockets with routes that a test makes itself: for what a configuration cannot say. */
import net, { type AddressInfo } from 'node:net';
import { once } from 'node:events';
import {
  type Cluster,
  type ClusterOptions,
  createCluster,
  createRuntime,
  type Runtime,
} from '@evenkeel/core';
import { CidrSet } from '../../address/cidr-set.ts';
import type { RouteOptions } from '../../config/route-options.ts';
import { type RouteConfig, routeSchema } from '../../config/route-schema.ts';
import type { Filter } from '../../filter/filter.ts';
import { ascii } from '../../http1/byte-class.ts';
import { RequestHead } from '../../http1/request-head.ts';
import { ResponseHead } from '../../http1/response-head.ts';
import { RouteMeter } from '../../observability/route-meter.ts';
import { compileRoutes } from '../../route/compile.ts';
import { Usage } from '../../runtime/usage.ts';
import { Output } from '../../socket/output.ts';
import { acceptStream } from '../../socket/socket-stream.ts';
import { Sweeper } from '../../socket/sweeper.ts';
import { ClientConnection } from '../client-connection.ts';
import { identityOf } from '../client-identity.ts';
import { ProxyCounters } from '../counters.ts';
import { DateLine } from '../date-line.ts';
import { LoopGuard } from '../loop-guard.ts';
import type { Client, EngineHost, Timeouts } from '../host.ts';
import { RequestView } from '../request-view.ts';
import type { Upstream } from '../route.ts';
import { UpstreamPools } from '../upstream-pools.ts';
import { RawClient } from './raw-client.ts';
import { type OriginConnection, scriptedOrigin, type ScriptedOrigin } from './scripted-origin.ts';

export interface EngineOptions {
  /** Of the only route, unless `routes` are given. */
  readonly filters?: readonly Filter[];
  readonly routes?: readonly (Omit<RouteOptions, 'filters'> & {
    readonly filters?: readonly Filter[];
  })[];
  readonly timeouts?: Partial<Timeouts>;
  /** How many origins each cluster has, by its name. Default `{ origin: 1 }`. */
  readonly clusters?: Readonly<Record<string, number>>;
  readonly cluster?: Partial<ClusterOptions>;
  readonly trusted?: readonly string[];
  readonly identifies?: boolean;
  /** Per endpoint. Default 100. */
  readonly maxConnections?: number;
}

const TIMEOUTS: Timeouts = {
  handshakeMs: 5_000,
  headMs: 5_000,
  keepAliveMs: 5_000,
  bodyIdleMs: 5_000,
  bodyGraceMs: 5_000,
  minBodyBytesPerSecond: 0,
  connectMs: 5_000,
  responseHeadMs: 5_000,
  requestMs: Number.POSITIVE_INFINITY,
  sendStallMs: 5_000,
  upstreamIdleMs: 5_000,
  tunnelIdleMs: 5_000,
};

type OnData = (connection: OriginConnection, origin: number, cluster: string) => void;

export class EngineFixture {
  readonly host: EngineHost;
  readonly counters: ProxyCounters = new ProxyCounters();
  readonly #meters = new Map<string, RouteMeter>();
  /** By cluster. */
  readonly origins: ReadonlyMap<string, readonly ScriptedOrigin[]>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** What the engine says of errors. */
  readonly errors: unknown[] = [];
  readonly #upstreams = new Map<string, Upstream>();
  readonly #server: net.Server;
  readonly #connections = new Set<Client>();
  readonly #clients: RawClient[] = [];

  private constructor(
    clusters: ReadonlyMap<string, Cluster>,
    origins: ReadonlyMap<string, readonly ScriptedOrigin[]>,
    options: EngineOptions,
  ) {
    this.clusters = clusters;
    this.origins = origins;
    const runtime = createRuntime({ logger: this.#logger() });
    this.host = this.#hostOf(runtime, options);
    for (const [name, cluster] of clusters) {
      const pools = new UpstreamPools(this.host, cluster, {
        maxConnections: options.maxConnections ?? 100,
        maxPending: 100,
        tls: undefined,
        http2: undefined,
      } as ConstructorParameters<typeof UpstreamPools>[2]);
      this.#upstreams.set(name, { cluster, pools });
    }
    Object.assign(this.host, { routes: this.#routesOf(runtime, options) });
    const trusted = new CidrSet((options.trusted ?? []).map((network) => ({ network, value: 1 })));
    this.#server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const client = new ClientConnection(
        this.host,
        identityOf(socket.remoteAddress ?? '', 'http', trusted),
      );
      this.#connections.add(client);
      this.host.sweeper.add(client);
      client.attach(acceptStream(socket, client, false));
    });
  }

  static async start(onData: OnData, options: EngineOptions = {}): Promise<EngineFixture> {
    const origins = new Map<string, ScriptedOrigin[]>();
    const clusters = new Map<string, Cluster>();
    for (const [name, count] of Object.entries(options.clusters ?? { origin: 1 })) {
      const made = await Promise.all(
        Array.from({ length: count }, (_, at) =>
          scriptedOrigin((connection) => onData(connection, at, name)),
        ),
      );
      origins.set(name, made);
      const cluster = createCluster({
        name,
        policy: 'round-robin',
        discovery: made.map(({ port }) => `127.0.0.1:${port}`),
        ...options.cluster,
      });
      await cluster.ready();
      clusters.set(name, cluster);
    }
    const fixture = new EngineFixture(clusters, origins, options);
    fixture.#server.listen(0, '127.0.0.1');
    await once(fixture.#server, 'listening');
    return fixture;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  meterOf(route: string, cluster: string): RouteMeter {
    const key = `${route} ${cluster}`;
    const meter = this.#meters.get(key) ?? new RouteMeter(route, cluster);
    this.#meters.set(key, meter);
    return meter;
  }

  receivedBy(cluster: string, origin = 0): string {
    const connections = this.origins.get(cluster)?.[origin]?.connections ?? [];
    return connections.map(({ received }) => received).join('');
  }

  async connect(): Promise<RawClient> {
    const client = await new RawClient(this.port).connected();
    this.#clients.push(client);
    return client;
  }

  /** Waits until a condition holds that no event of the test's own tells of. */
  async until(condition: () => boolean): Promise<void> {
    const limit = Date.now() + 5_000;
    while (!condition()) {
      if (Date.now() > limit) throw new Error(`${condition.toString()} did not come true`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const { stream } of this.#connections) stream.destroy();
    this.#server.close();
    await this.until(() => this.#connections.size === 0);
    for (const { pools } of this.#upstreams.values()) await pools.destroy();
    this.host.sweeper.close();
    for (const cluster of this.clusters.values()) await cluster.close();
    for (const origins of this.origins.values()) for (const origin of origins) await origin.close();
  }

  #hostOf(runtime: Runtime, options: EngineOptions): EngineHost {
    const requestHead = new RequestHead();
    return {
      runtime,
      timeouts: { ...TIMEOUTS, ...options.timeouts },
      sweeper: new Sweeper(runtime),
      requestHead,
      view: new RequestView(requestHead),
      responseHead: new ResponseHead(),
      output: new Output(),
      dateLine: new DateLine(runtime.clock),
      counters: this.counters,
      observer: {
        runtime,
        unrouted: this.meterOf('', ''),
        log: undefined,
        identifies: options.identifies === true,
        tracer: undefined,
        hop: undefined,
        usage: new Usage(),
      },
      routes: { find: () => undefined },
      viaLine: ascii(''),
      loops: new LoopGuard(false, 1),
      draining: false,
      closed: (client) => this.#connections.delete(client),
    };
  }

  #routesOf(runtime: Runtime, { filters, routes, timeouts }: EngineOptions): EngineHost['routes'] {
    const given = routes ?? [{ cluster: 'origin', ...(filters && { filters }) }];
    const filtersOf = new Map<RouteConfig, readonly Filter[] | undefined>();
    const configs = given.map(({ filters: own, ...route }) => {
      const config = routeSchema.parse(route);
      filtersOf.set(config, own);
      return config;
    });
    return compileRoutes(configs, {
      random: runtime.random,
      scheduler: runtime.scheduler,
      maxBodyBytes: undefined,
      requestMs: timeouts?.requestMs ?? TIMEOUTS.requestMs,
      upstreamOf: (name) => this.#upstreams.get(name) as Upstream,
      meterOf: (route, side) => this.meterOf(route, side),
      filtersOf: (config) => filtersOf.get(config),
    });
  }

  #logger(): Runtime['logger'] {
    const ignore = (): void => undefined;
    const error = (fields: unknown): void => void this.errors.push(fields);
    const logger = { debug: ignore, info: ignore, warn: ignore, error };
    return logger as unknown as Runtime['logger'];
  }
}
