/** The listeners of a proxy that pass on bytes and datagrams. */
import type { Cluster, Runtime } from '@evenkeel/core';
import { RetryBudget, RetryPolicy, type RetryPolicyOptions } from '@evenkeel/core/resilience';
import type { ListenerConfig, ProxyConfig } from '../config/options.ts';
import type { TcpConfig, UdpConfig } from '../config/tcp-options.ts';
import type { Sweeper } from '../socket/sweeper.ts';
import type { ClaimTarget } from '../tcp/claim.ts';
import { TcpCounters } from '../tcp/tcp-counters.ts';
import { TcpListener } from '../tcp/tcp-listener.ts';
import { nameIndexOf } from '../tcp/tcp-target.ts';
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

export interface Layer4Ports {
  readonly config: ProxyConfig;
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
}

export class Layer4 {
  readonly #ports: Layer4Ports;
  readonly #tcpCounters = new TcpCounters();
  readonly #udpCounters = new UdpCounters();
  readonly #tcp: TcpListener[] = [];
  readonly #udp: UdpListener[] = [];
  readonly #budgets = new Map<Cluster, RetryBudget>();
  readonly #subscriptions = new Map<Cluster, () => void>();

  constructor(ports: Layer4Ports) {
    this.#ports = ports;
  }

  get tcp(): TcpStats {
    return { activeCount: activeCount(this.#tcp), counters: this.#tcpCounters };
  }

  get udp(): UdpStats {
    return { activeCount: activeCount(this.#udp), counters: this.#udpCounters };
  }

  /** Makes the listener that the options ask for. @returns undefined when they ask for another kind */
  create(
    { tcp, udp }: ListenerConfig,
    rebuildsSockets: boolean,
  ): TcpListener | UdpListener | undefined {
    if (tcp !== undefined) return this.#createTcp(tcp, rebuildsSockets);
    if (udp !== undefined) return this.#createUdp(udp);
    return undefined;
  }

  /** @returns once all connections and sessions are over, or `limitMs` have passed */
  drained(limitMs: number): Promise<void> {
    const listeners = [...this.#tcp, ...this.#udp];
    if (activeCount(listeners) === 0 || limitMs <= 0) return Promise.resolve();
    const { scheduler } = this.#ports.runtime;
    return new Promise((resolve) => {
      const held = scheduler.hold();
      const settle = (): void => {
        held.cancel();
        timer.cancel();
        resolve();
      };
      const timer = scheduler.after(limitMs, settle);
      void Promise.all(listeners.map((listener) => listener.gone())).then(settle);
    });
  }

  /** Cuts off what is left. */
  destroy(): void {
    for (const unsubscribe of this.#subscriptions.values()) unsubscribe();
    for (const listener of [...this.#tcp, ...this.#udp]) listener.destroy();
  }

  #createTcp(config: TcpConfig, rebuildsSockets: boolean): TcpListener {
    const { runtime, sweeper, config: all } = this.#ports;
    const { cluster, sni, retry } = config;
    const listener = new TcpListener({
      host: {
        runtime,
        sweeper,
        counters: this.#tcpCounters,
        timeouts: config,
        targets: {
          byName:
            sni &&
            nameIndexOf(
              sni.map((side) => ({ names: side.names, target: this.#target(side.cluster, retry) })),
            ),
          byDefault: cluster === undefined ? undefined : this.#target(cluster, retry),
        },
      },
      maxClients: all.limits.maxClients,
      rebuildsSockets,
    });
    this.#tcp.push(listener);
    return listener;
  }

  #createUdp({ cluster, idleTimeoutMs, maxSessions }: UdpConfig): UdpListener {
    const { runtime, sweeper } = this.#ports;
    const listener = new UdpListener({
      host: { runtime, sweeper, counters: this.#udpCounters, idleTimeoutMs },
      target: this.#target(cluster, false),
      maxSessions,
    });
    this.#udp.push(listener);
    return listener;
  }

  #target(name: string, retry: RetryPolicyOptions | false): ClaimTarget {
    const { config, runtime } = this.#ports;
    const cluster = config.clusters.get(name) as Cluster;
    const options: RetryPolicyOptions = retry === false ? { attempts: 0 } : retry;
    // All listeners together may not add more to the load of a cluster than its budget says; the first one's counts.
    const budget = this.#budgets.get(cluster) ?? new RetryBudget(options.budget);
    this.#budgets.set(cluster, budget);
    if (!this.#subscriptions.has(cluster))
      this.#subscriptions.set(cluster, this.#subscribe(cluster));
    return { cluster, retry: new RetryPolicy(options, { budget, random: runtime.random }) };
  }

  #subscribe(cluster: Cluster): () => void {
    return cluster.subscribe((event) => {
      if (event.type !== 'endpoint-removed') return;
      for (const listener of [...this.#tcp, ...this.#udp])
        listener.endpointRemoved(cluster, event.slot);
    });
  }
}

function activeCount(listeners: readonly { readonly activeCount: number }[]): number {
  return listeners.reduce((sum, listener) => sum + listener.activeCount, 0);
}
