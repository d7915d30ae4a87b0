/** The clusters that requests go to, with the connections to their endpoints. */
import { isDeepStrictEqual } from 'node:util';
import type { Cluster } from '@evenkeel/core';
import type { SecureContext } from 'node:tls';
import type { UpstreamHttp2Config } from '../config/http2-options.ts';
import type { ProxyConfig } from '../config/proxy-config.ts';
import type { UpstreamTlsConfig } from '../config/tls-options.ts';
import type { EngineHost } from '../engine/host.ts';
import type { Upstream } from '../engine/route.ts';
import { type PoolOptions, UpstreamPools } from '../engine/upstream-pools.ts';
import type { UpstreamStats } from '../observability/proxy-stats.ts';
import { UpstreamTls } from '../tls/client-credentials.ts';
import type { Part, Parts } from './parts.ts';

/** How the endpoints of a cluster are reached. */
interface UpstreamSettings {
  readonly tls: UpstreamTlsConfig | undefined;
  readonly http2: UpstreamHttp2Config | undefined;
}

/** A cluster and the connections to its endpoints, as long as both and the way there are the same. */
export class ReachedCluster implements Upstream, Part {
  readonly cluster: Cluster;
  readonly pools: UpstreamPools;
  readonly settings: UpstreamSettings;
  readonly #tls: UpstreamTls | undefined;
  readonly #options: { -readonly [Key in keyof PoolOptions]: PoolOptions[Key] };

  constructor(host: EngineHost, cluster: Cluster, wanted: WantedUpstream) {
    const { settings, context, limits } = wanted;
    this.cluster = cluster;
    this.settings = settings;
    this.#tls =
      settings.tls === undefined || context === undefined
        ? undefined
        : new UpstreamTls(settings.tls, context);
    this.#options = { ...limits, tls: this.#tls, http2: settings.http2 };
    this.pools = new UpstreamPools(host, cluster, this.#options);
  }

  /** For connections that are made from now on; those that there are stay. */
  configure({ context, limits, warmConnections }: WantedUpstream): void {
    Object.assign(this.#options, limits);
    this.pools.keepWarm(warmConnections);
    if (this.#tls !== undefined && context !== undefined) this.#tls.context = context;
  }

  close(): Promise<void> {
    return this.pools.destroy();
  }
}

interface WantedUpstream {
  readonly settings: UpstreamSettings;
  /** Undefined for clear text. */
  readonly context: SecureContext | undefined;
  readonly limits: Pick<PoolOptions, 'maxConnections' | 'maxPending'>;
  /** To each endpoint. */
  readonly warmConnections: number;
}

/** The clusters of a configuration that may come into force. */
export class UpstreamPlan {
  readonly #host: EngineHost;
  readonly #config: ProxyConfig;
  readonly #contexts: ReadonlyMap<string, SecureContext>;
  readonly #current: ReadonlyMap<string, ReachedCluster>;
  readonly #next = new Map<string, ReachedCluster>();

  constructor(
    host: EngineHost,
    { config, contexts }: { config: ProxyConfig; contexts: ReadonlyMap<string, SecureContext> },
    current: ReadonlyMap<string, ReachedCluster>,
  ) {
    this.#host = host;
    this.#config = config;
    this.#contexts = contexts;
    this.#current = current;
  }

  /** Those that were asked for. */
  get upstreams(): ReadonlyMap<string, ReachedCluster> {
    return this.#next;
  }

  /** @param name of a cluster of the configuration */
  of(name: string): ReachedCluster {
    const known = this.#next.get(name);
    if (known !== undefined) return known;
    const cluster = this.#config.clusters.get(name) as Cluster;
    const wanted = this.#wanted(name);
    const current = this.#current.get(name);
    const stays =
      current !== undefined &&
      current.cluster === cluster &&
      isDeepStrictEqual(current.settings, wanted.settings);
    const upstream = stays ? current : new ReachedCluster(this.#host, cluster, wanted);
    this.#next.set(name, upstream);
    return upstream;
  }

  /** The configuration comes into force. */
  commit(): void {
    for (const [name, upstream] of this.#next) upstream.configure(this.#wanted(name));
  }

  /** It does not. */
  async discard(): Promise<void> {
    const made = [...this.#next].filter(([name, upstream]) => this.#current.get(name) !== upstream);
    await Promise.all(made.map(([, upstream]) => upstream.close()));
  }

  #wanted(name: string): WantedUpstream {
    const { maxConnectionsPerEndpoint, maxPendingPerEndpoint } = this.#config.limits;
    return {
      settings: {
        tls: this.#config.upstreamTls.get(name),
        http2: this.#config.upstreamHttp2.get(name),
      },
      context: this.#contexts.get(name),
      limits: { maxConnections: maxConnectionsPerEndpoint, maxPending: maxPendingPerEndpoint },
      warmConnections: this.#config.warmConnections.get(name) ?? 0,
    };
  }
}

/** Of those that are on their way out, too. */
export function upstreamStatsOf(parts: Parts): readonly UpstreamStats[] {
  const upstreams = [...parts].filter((part) => part instanceof ReachedCluster);
  return upstreams.map(({ cluster, pools }) => {
    const all = [...pools.pools()];
    return {
      cluster: cluster.name,
      connectionCount: all.reduce((sum, pool) => sum + pool.size, 0),
      idleCount: all.reduce((sum, pool) => sum + pool.idleCount, 0),
    };
  });
}
