/** The listeners of a proxy that pass on bytes and datagrams. */
import type { Cluster, Runtime } from '@evenkeel/core';
import { RetryBudget, RetryPolicy, type RetryPolicyOptions } from '@evenkeel/core/resilience';
import type { ListenerConfig, ProxyConfig } from '../config/proxy-config.ts';
import type { TcpConfig, UdpConfig } from '../config/tcp-options.ts';
import type { Passing } from './http-port.ts';
import { Usage } from '../runtime/usage.ts';
import type { Sweeper } from '../socket/sweeper.ts';
import { Dialer } from '../tcp/dialer.ts';
import { TcpConnections } from '../tcp/tcp-connections.ts';
import { TcpCounters } from '../tcp/tcp-counters.ts';
import type { TcpHost } from '../tcp/tcp-host.ts';
import { TcpListener } from '../tcp/tcp-listener.ts';
import { nameIndexOf, type TcpTarget, type TcpTargets } from '../tcp/tcp-target.ts';
import { UpstreamTls } from '../tls/client-credentials.ts';
import type { Credentials } from '../tls/load-credentials.ts';
import { UdpCounters } from '../udp/udp-counters.ts';
import { UdpListener } from '../udp/udp-listener.ts';

export interface TcpStats {
  /** Connections of clients at this moment. */
  readonly activeCount: number;
  readonly counters: Readonly<TcpCounters>;
}

export interface UdpStats {
  /** Sessions at this moment. */
  readonly activeCount: number;
  readonly counters: Readonly<UdpCounters>;
}

export interface Layer4Tools {
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
  /** Can accepted sockets be read through a buffer of ours? */
  readonly rebuildsSockets: boolean;
}

export type Layer4Listener = TcpListener | UdpListener;

/** What has connections or sessions. */
export type Layer4Member = TcpConnections | UdpListener;

/** What there is of them whatever the configuration. */
export class Layer4 {
  readonly tools: Layer4Tools;
  readonly tcpCounters: TcpCounters = new TcpCounters();
  readonly udpCounters: UdpCounters = new UdpCounters();
  readonly #members = new Set<Layer4Member>();
  /** Those that the configuration names. */
  #usages = new Map<Cluster, Usage>();
  /** How to stop hearing of a cluster; of those on their way out, too. */
  readonly #followed = new Map<Usage, () => void>();

  constructor(tools: Layer4Tools) {
    this.tools = tools;
  }

  get tcp(): TcpStats {
    const members = [...this.#members].filter((member) => member instanceof TcpConnections);
    return { activeCount: activeCountOf(members), counters: this.tcpCounters };
  }

  get udp(): UdpStats {
    const members = [...this.#members].filter((member) => member instanceof UdpListener);
    return { activeCount: activeCountOf(members), counters: this.udpCounters };
  }

  usageOf(cluster: Cluster): Usage | undefined {
    return this.#usages.get(cluster);
  }

  /** Until it is gone. Idempotent. */
  add(member: Layer4Member): void {
    this.#members.add(member);
  }

  delete(member: Layer4Member): void {
    this.#members.delete(member);
  }

  /**
   * These clusters are named from now on.
   *
   * @param last settles when no listener is left that names others
   * @returns for each of the others, once the last connection is over that goes there
   */
  name(usages: Map<Cluster, Usage>, last: Promise<unknown>): Map<Cluster, Promise<void>> {
    const before = this.#usages;
    this.#usages = usages;
    for (const [cluster, usage] of usages)
      if (!this.#followed.has(usage)) this.#follow(cluster, usage);
    const left = [...before].filter(([cluster]) => !usages.has(cluster));
    return new Map(left.map(([cluster, usage]) => [cluster, this.#leave(usage, last)]));
  }

  close(): void {
    for (const unsubscribe of this.#followed.values()) unsubscribe();
    this.#followed.clear();
  }

  /** Connections to endpoints that leave are cut off, for as long as there are any. */
  #follow(cluster: Cluster, usage: Usage): void {
    const unsubscribe = cluster.subscribe((event) => {
      if (event.type !== 'endpoint-removed') return;
      for (const member of this.#members) member.endpointRemoved(cluster, event.slot);
    });
    this.#followed.set(usage, unsubscribe);
  }

  async #leave(usage: Usage, last: Promise<unknown>): Promise<void> {
    await last;
    await usage.retire();
    this.#followed.get(usage)?.();
    this.#followed.delete(usage);
  }
}

/** Their part of a configuration that may come into force. */
export class Layer4Plan {
  readonly #layer4: Layer4;
  readonly #config: ProxyConfig;
  readonly #credentials: Credentials;
  readonly #budgets = new Map<Cluster, RetryBudget>();
  readonly #usages = new Map<Cluster, Usage>();

  constructor(layer4: Layer4, config: ProxyConfig, credentials: Credentials) {
    this.#layer4 = layer4;
    this.#config = config;
    this.#credentials = credentials;
  }

  /** Makes the listener at a place of the options. @returns undefined when they ask for another kind */
  create(at: number): Layer4Listener | undefined {
    const listener = this.#config.listeners[at] as ListenerConfig;
    if (listener.tcp !== undefined) return this.#createTcp(listener.tcp, listener, at);
    if (listener.udp !== undefined) return this.#createUdp(listener.udp);
    return undefined;
  }

  /** What a listener that is there already gets instead of what it has. @returns how; nothing fails then */
  change(listener: Layer4Listener, at: number): () => void {
    const { tcp, udp, perClient } = this.#config.listeners[at] as ListenerConfig;
    if (listener instanceof TcpListener) {
      const changed = this.#tcpParts(tcp as TcpConfig);
      const { maxClients } = this.#config.limits;
      const { trustedProxies: trusted } = this.#config;
      const credentials = this.#credentials.listeners[at];
      return () => {
        listener.update({ ...changed, maxClients, perClient, trusted });
        if (credentials !== undefined) listener.tls?.replace(credentials);
      };
    }
    const changed = this.#udpParts(udp as UdpConfig);
    return () => listener.update(changed);
  }

  /**
   * @param last settles when the last listener is gone that is not in the configuration
   * @returns for each cluster that is not named any more, once the last connection is over that goes there
   */
  commit(last: Promise<unknown>): Map<Cluster, Promise<void>> {
    return this.#layer4.name(this.#usages, last);
  }

  /** TLS that a listener for requests passes through. @param before those that it has */
  passing(tcp: TcpConfig, before: TcpConnections | undefined): Passing {
    const change = this.#tcpParts(tcp);
    return { change, connections: before ?? this.#connections(change) };
  }

  #connections(parts: Pick<TcpHost, 'timeouts' | 'targets'>): TcpConnections {
    const { tools, tcpCounters: counters } = this.#layer4;
    const { runtime, sweeper, rebuildsSockets } = tools;
    return new TcpConnections({ runtime, sweeper, counters, ...parts }, rebuildsSockets);
  }

  #createTcp(config: TcpConfig, listener: ListenerConfig, at: number): TcpListener {
    const { tools, tcpCounters: counters } = this.#layer4;
    const { limits, timeouts, trustedProxies } = this.#config;
    const { runtime, sweeper } = tools;
    return new TcpListener({
      connections: this.#connections(this.#tcpParts(config)),
      host: { runtime, sweeper, counters, handshakeMs: timeouts.handshakeMs },
      counters,
      maxClients: limits.maxClients,
      perClient: listener.perClient,
      proxyProtocol: listener.proxyProtocol,
      trusted: trustedProxies,
      credentials: this.#credentials.listeners[at],
    });
  }

  #createUdp(config: UdpConfig): UdpListener {
    const { tools, udpCounters: counters } = this.#layer4;
    const { runtime, sweeper } = tools;
    const { target, idleTimeoutMs, maxSessions } = this.#udpParts(config);
    return new UdpListener({
      host: { runtime, sweeper, counters, idleTimeoutMs },
      target,
      maxSessions,
    });
  }

  #tcpParts(config: TcpConfig): Pick<TcpHost, 'timeouts' | 'targets'> {
    const { cluster, sni, retry } = config;
    const targets: TcpTargets = {
      byName:
        sni &&
        nameIndexOf(
          sni.map((side) => ({ names: side.names, target: this.#tcpTarget(side.cluster, retry) })),
        ),
      byDefault: cluster === undefined ? undefined : this.#tcpTarget(cluster, retry),
    };
    return { timeouts: config, targets };
  }

  #tcpTarget(name: string, retry: RetryPolicyOptions | false): TcpTarget {
    const tls = this.#config.upstreamTls.get(name);
    const context = this.#credentials.upstreams.get(name);
    const dialer = new Dialer({
      proxyProtocol: this.#config.upstreamProxyProtocol.get(name),
      tls: tls && context && new UpstreamTls(tls, context),
    });
    return { ...this.#target(name, retry), dialer };
  }

  #udpParts(config: UdpConfig): Parameters<UdpListener['update']>[0] {
    const { cluster, idleTimeoutMs, maxSessions } = config;
    return { target: this.#target(cluster, false), idleTimeoutMs, maxSessions };
  }

  #target(name: string, retry: RetryPolicyOptions | false): TcpTarget {
    const { runtime } = this.#layer4.tools;
    const cluster = this.#config.clusters.get(name) as Cluster;
    const options: RetryPolicyOptions = retry === false ? { attempts: 0 } : retry;
    // All listeners together may not add more to the load of a cluster than its budget says; the first one's counts.
    const budget = this.#budgets.get(cluster) ?? new RetryBudget(options.budget);
    this.#budgets.set(cluster, budget);
    const usage = this.#layer4.usageOf(cluster) ?? this.#usages.get(cluster) ?? new Usage();
    this.#usages.set(cluster, usage);
    const dialer = new Dialer({ proxyProtocol: undefined, tls: undefined });
    const policy = new RetryPolicy(options, { budget, random: runtime.random });
    return { cluster, retry: policy, usage, dialer };
  }
}

function activeCountOf(members: readonly Layer4Member[]): number {
  return members.reduce((sum, member) => sum + member.activeCount, 0);
}
