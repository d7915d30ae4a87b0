/** A proxy: listeners, routes and connections, joined. */
import { type Cluster, createRuntime, type Runtime } from '@evenkeel/core';
import {
  decodeProxyOptions,
  type ListenerConfig,
  type ProxyConfig,
  type ProxyOptions,
} from '../config/options.ts';
import { trustedNetworks } from '../config/trusted-networks.ts';
import type { ClientConnection } from '../engine/client-connection.ts';
import { ProxyCounters } from '../engine/counters.ts';
import { DateLine } from '../engine/date-line.ts';
import type { EngineHost } from '../engine/host.ts';
import type { RouteTable, Upstream } from '../engine/route.ts';
import { RequestView } from '../engine/request-view.ts';
import { UpstreamPools } from '../engine/upstream-pools.ts';
import { ascii } from '../http1/byte-class.ts';
import { RequestHead } from '../http1/request-head.ts';
import { ResponseHead } from '../http1/response-head.ts';
import { Listener } from '../listener/listener.ts';
import { RequestLog } from '../observability/access-log/request-log.ts';
import type { ProxyStats } from '../observability/proxy-stats.ts';
import { RouteMeters } from '../observability/route-meters.ts';
import { compileRoutes } from '../route/compile.ts';
import { Output } from '../socket/output.ts';
import { canRebuildSockets } from '../socket/rebuild-probe.ts';
import { Sweeper } from '../socket/sweeper.ts';
import {
  Certificates,
  certificatesOf,
  type CertificateStatus,
  type ListenerCertificates,
} from './certificates.ts';
import { Layer4, type TcpStats, type UdpStats } from './layer4.ts';

export interface Proxy {
  /** Where each listener listens, in the order of the options. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** What the proxy counts, at this moment. */
  readonly stats: ProxyStats & Layer4Stats;
  /** Those that listeners show, in the order of the options. */
  readonly certificates: readonly CertificateStatus[];
  /**
   * Reads all files with certificates and keys anew, those for endpoints included, and takes them over in one step for
   * connections that are made from then on. Connections stay as they are; clients may resume their sessions, unless
   * `clientCa` has changed.
   *
   * @param others instead of what these listeners were given so far; the way to change PEM text
   * @throws ConfigError naming everything that is wrong; all that was in force stays then
   */
  reloadCertificates(others?: readonly ListenerCertificates[]): Promise<void>;
  /**
   * Accepts nobody any more, lets requests under way finish for up to `drainTimeoutMs`, then cuts them off. The clusters
   * stay open. Idempotent.
   */
  close(options?: { readonly drainTimeoutMs?: number | undefined }): Promise<void>;
}

/** Of listeners that pass on bytes and datagrams. */
export interface Layer4Stats {
  readonly tcp: TcpStats;
  readonly udp: UdpStats;
}

/**
 * Starts a proxy.
 *
 * @returns once all listeners listen
 * @throws ConfigError naming every wrong option, or what listening fails with; nothing is left open then
 */
export async function createProxy(
  options: ProxyOptions,
  ports: Partial<Runtime> = {},
): Promise<Proxy> {
  const config = decodeProxyOptions(options);
  const proxy = new RunningProxy(config, createRuntime(ports));
  try {
    await proxy.listen();
  } catch (error) {
    await proxy.close({ drainTimeoutMs: 0 });
    throw error;
  }
  return proxy;
}

const DEFAULT_DRAIN_MS = 30_000;

/** How long the end of the access log may take. */
const LOG_MS = 5_000;

/** A socket that was destroyed says so in the next turn of the event loop. */
const GONE_MS = 1_000;

class RunningProxy implements Proxy {
  readonly #config: ProxyConfig;
  readonly #runtime: Runtime;
  readonly #sweeper: Sweeper;
  readonly #counters = new ProxyCounters();
  readonly #meters = new RouteMeters();
  readonly #log: RequestLog | undefined;
  readonly #output = new Output();
  readonly #dateLine: DateLine;
  readonly #clients = new Set<ClientConnection>();
  readonly #upstreams = new Map<string, Upstream>();
  readonly #listeners: AnyListener[] = [];
  readonly #layer4: Layer4;
  readonly #certificates: Certificates;
  #draining = false;
  #closing: Promise<void> | undefined = undefined;
  #onIdle: (() => void) | undefined = undefined;

  constructor(config: ProxyConfig, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
    this.#sweeper = new Sweeper(runtime);
    this.#dateLine = new DateLine(runtime.clock);
    this.#log = config.accessLog && new RequestLog(config.accessLog, runtime);
    this.#certificates = new Certificates(config);
    this.#layer4 = new Layer4({ config, runtime, sweeper: this.#sweeper });
  }

  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#listeners.map(({ address }) => address);
  }

  get stats(): ProxyStats & Layer4Stats {
    const upstreams = Array.from(this.#upstreams.values(), ({ cluster, pools }) => {
      const all = [...pools.pools()];
      return {
        cluster: cluster.name,
        connectionCount: all.reduce((sum, pool) => sum + pool.size, 0),
        idleCount: all.reduce((sum, pool) => sum + pool.idleCount, 0),
      };
    });
    return {
      clientCount: this.#clients.size,
      upstreamCount: upstreams.reduce((sum, { connectionCount }) => sum + connectionCount, 0),
      idleUpstreamCount: upstreams.reduce((sum, { idleCount }) => sum + idleCount, 0),
      counters: this.#counters,
      tcp: this.#layer4.tcp,
      udp: this.#layer4.udp,
      routes: this.#meters.all(),
      upstreams,
      droppedLogLineCount: this.#log?.droppedCount ?? 0,
    };
  }

  get certificates(): readonly CertificateStatus[] {
    return certificatesOf(this.#listeners);
  }

  reloadCertificates(others: readonly ListenerCertificates[] = []): Promise<void> {
    return this.#certificates.change(this.#listeners, others);
  }

  async listen(): Promise<void> {
    const { limits, listeners, trustedProxies } = this.#config;
    const trusted = trustedNetworks(trustedProxies);
    const credentials = await this.#certificates.load();
    const rebuildsSockets = await canRebuildSockets();
    for (const [at, listener] of listeners.entries()) {
      const made =
        this.#layer4.create(listener, rebuildsSockets) ??
        new Listener({
          host: this.#hostFor(listener),
          clients: this.#clients,
          trusted,
          maxClients: limits.maxClients,
          rebuildsSockets,
          proxyProtocol: listener.proxyProtocol,
          credentials: credentials.listeners[at],
        });
      await made.listen(listener.host, listener.port);
      this.#listeners.push(made);
    }
  }

  close(options: { readonly drainTimeoutMs?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drainTimeoutMs ?? DEFAULT_DRAIN_MS);
    return this.#closing;
  }

  async #close(drainTimeoutMs: number): Promise<void> {
    this.#draining = true;
    for (const listener of this.#listeners) listener.close();
    for (const client of this.#clients) client.drain();
    await Promise.all([this.#idle(drainTimeoutMs), this.#layer4.drained(drainTimeoutMs)]);
    this.#layer4.destroy();
    for (const client of this.#clients) client.stream.destroy();
    await Promise.all([...this.#upstreams.values()].map(({ pools }) => pools.destroy()));
    await this.#idle(GONE_MS);
    await Promise.all(this.#listeners.map((listener) => listener.gone()));
    this.#sweeper.close();
    await this.#log?.close(LOG_MS);
  }

  #idle(limitMs: number): Promise<void> {
    if (this.#clients.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const held = this.#runtime.scheduler.hold();
      const settle = (): void => {
        held.cancel();
        timer.cancel();
        resolve();
      };
      const timer = this.#runtime.scheduler.after(limitMs, settle);
      this.#onIdle = settle;
    });
  }

  #hostFor(listener: ListenerConfig): EngineHost {
    const { timeouts, limits, via } = this.#config;
    const isDraining = (): boolean => this.#draining;
    const requestHead = new RequestHead(limits);
    const host: { -readonly [Key in keyof EngineHost]: EngineHost[Key] } = {
      runtime: this.#runtime,
      timeouts: { ...timeouts, requestMs: timeouts.requestMs ?? Number.POSITIVE_INFINITY },
      sweeper: this.#sweeper,
      requestHead,
      view: new RequestView(requestHead),
      responseHead: new ResponseHead(limits),
      output: this.#output,
      dateLine: this.#dateLine,
      counters: this.#counters,
      observer: {
        runtime: this.#runtime,
        unrouted: this.#meters.none,
        log: this.#log,
        identifies: this.#config.requestId,
      },
      routes: NO_ROUTES,
      viaLine: ascii(via === false ? '' : `via: 1.1 ${via}\r\n`),
      get draining() {
        return isDraining();
      },
      closed: (client) => this.#closed(client),
    };
    host.routes = this.#routesOf(listener, host);
    return host;
  }

  #routesOf(listener: ListenerConfig, host: EngineHost): RouteTable {
    return compileRoutes(listener.routes, {
      random: this.#runtime.random,
      requestMs: host.timeouts.requestMs,
      upstreamOf: (cluster) =>
        this.#upstreamOf(this.#config.clusters.get(cluster) as Cluster, host),
      meterOf: (route, cluster) => this.#meters.of(route, cluster),
    });
  }

  #upstreamOf(cluster: Cluster, host: EngineHost): Upstream {
    const known = this.#upstreams.get(cluster.name);
    if (known !== undefined) return known;
    const { maxConnectionsPerEndpoint, maxPendingPerEndpoint } = this.#config.limits;
    const pools = new UpstreamPools(host, cluster, {
      maxConnections: maxConnectionsPerEndpoint,
      maxPending: maxPendingPerEndpoint,
      tls: this.#certificates.upstream(cluster.name),
    });
    const made = { cluster, pools };
    this.#upstreams.set(cluster.name, made);
    return made;
  }

  #closed(client: ClientConnection): void {
    this.#clients.delete(client);
    if (this.#clients.size === 0) this.#onIdle?.();
  }
}

/** Of whatever protocol. */
type AnyListener = Pick<Listener, 'tls' | 'address' | 'listen' | 'close' | 'gone'>;

const NO_ROUTES: RouteTable = { find: () => undefined };
