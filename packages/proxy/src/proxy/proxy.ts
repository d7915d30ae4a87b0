/** A proxy: listeners, routes and connections, joined. */
import { type Cluster, createRuntime, type Runtime } from '@evenkeel/core';
import { RetryBudget, RetryPolicy, type RetryPolicyOptions } from '@evenkeel/core/resilience';
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
import { UpstreamPools } from '../engine/upstream-pools.ts';
import { ascii } from '../http1/byte-class.ts';
import { RequestHead } from '../http1/request-head.ts';
import { ResponseHead } from '../http1/response-head.ts';
import { Listener } from '../listener/listener.ts';
import { type RouteRule, RouteIndex } from '../route/route-index.ts';
import { Output } from '../socket/output.ts';
import { canRebuildSockets } from '../socket/rebuild-probe.ts';
import { Sweeper } from '../socket/sweeper.ts';

export interface Proxy {
  /** Where each listener listens, in the order of the options. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** What the proxy counts, at this moment. */
  readonly stats: ProxyStats;
  /**
   * Accepts nobody any more, lets requests under way finish for up to `drainTimeoutMs`, then cuts them off. The clusters
   * stay open. Idempotent.
   */
  close(options?: { readonly drainTimeoutMs?: number | undefined }): Promise<void>;
}

export interface ProxyStats {
  readonly clientCount: number;
  readonly upstreamCount: number;
  readonly idleUpstreamCount: number;
  readonly counters: Readonly<ProxyCounters>;
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

/** A socket that was destroyed says so in the next turn of the event loop. */
const GONE_MS = 1_000;

class RunningProxy implements Proxy {
  readonly #config: ProxyConfig;
  readonly #runtime: Runtime;
  readonly #sweeper: Sweeper;
  readonly #counters = new ProxyCounters();
  readonly #output = new Output();
  readonly #dateLine: DateLine;
  readonly #clients = new Set<ClientConnection>();
  readonly #upstreams = new Map<string, Upstream>();
  readonly #listeners: Listener[] = [];
  #draining = false;
  #closing: Promise<void> | undefined = undefined;
  #onIdle: (() => void) | undefined = undefined;

  constructor(config: ProxyConfig, runtime: Runtime) {
    this.#config = config;
    this.#runtime = runtime;
    this.#sweeper = new Sweeper(runtime);
    this.#dateLine = new DateLine(runtime.clock);
  }

  get addresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.#listeners.map(({ address }) => address);
  }

  get stats(): ProxyStats {
    const pools = [...this.#upstreams.values()].flatMap((upstream) => [...upstream.pools.pools()]);
    return {
      clientCount: this.#clients.size,
      upstreamCount: pools.reduce((sum, pool) => sum + pool.size, 0),
      idleUpstreamCount: pools.reduce((sum, pool) => sum + pool.idleCount, 0),
      counters: this.#counters,
    };
  }

  async listen(): Promise<void> {
    const { limits, listeners, trustedProxies } = this.#config;
    const trusted = trustedNetworks(trustedProxies);
    const rebuildsSockets = await canRebuildSockets();
    for (const listener of listeners) {
      const made = new Listener({
        host: this.#hostFor(listener),
        clients: this.#clients,
        trusted,
        maxClients: limits.maxClients,
        rebuildsSockets,
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
    await this.#idle(drainTimeoutMs);
    for (const client of this.#clients) client.stream.destroy();
    await Promise.all([...this.#upstreams.values()].map(({ pools }) => pools.destroy()));
    await this.#idle(GONE_MS);
    this.#sweeper.close();
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
    const host: { -readonly [Key in keyof EngineHost]: EngineHost[Key] } = {
      runtime: this.#runtime,
      timeouts: { ...timeouts, requestMs: timeouts.requestMs ?? Number.POSITIVE_INFINITY },
      sweeper: this.#sweeper,
      requestHead: new RequestHead(limits),
      responseHead: new ResponseHead(limits),
      output: this.#output,
      dateLine: this.#dateLine,
      counters: this.#counters,
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
    const rules: RouteRule[] = [];
    for (const { domains, match, cluster, retry } of listener.routes) {
      const upstream = this.#upstreamOf(this.#config.clusters.get(cluster) as Cluster, host);
      const options: RetryPolicyOptions = retry === false ? { attempts: 0 } : retry;
      const budget = new RetryBudget(options.budget);
      const route = {
        upstream,
        retry: new RetryPolicy(options, { budget, random: this.#runtime.random }),
      };
      const { exact, prefix = '/' } = match.path;
      for (const domain of domains) {
        rules.push({
          domain: domain.toLowerCase(),
          match:
            exact === undefined ? { kind: 'prefix', path: prefix } : { kind: 'exact', path: exact },
          route,
        });
      }
    }
    return new RouteIndex(rules);
  }

  #upstreamOf(cluster: Cluster, host: EngineHost): Upstream {
    const known = this.#upstreams.get(cluster.name);
    if (known !== undefined) return known;
    const { maxConnectionsPerEndpoint, maxPendingPerEndpoint } = this.#config.limits;
    const pools = new UpstreamPools(host, cluster, {
      maxConnections: maxConnectionsPerEndpoint,
      maxPending: maxPendingPerEndpoint,
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

const NO_ROUTES: RouteTable = { find: () => undefined };
