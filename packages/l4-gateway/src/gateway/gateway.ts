import { isDeepStrictEqual } from 'node:util';
import {
  type Cluster,
  type ClusterSnapshot,
  ConfigError,
  createRuntime,
  type DiscoverySource,
  type Runtime,
  type Timer,
} from '@evenkeel/core';
import type { GatewayConfig, GatewayVip } from '../config/gateway-options.ts';
import type { ForwarderFill } from '../forwarder/fill.ts';
import type { CachedFlow, FlowDump } from '../forwarder/flow-dump.ts';
import type { Forwarder } from '../forwarder/forwarder.ts';
import type { Traffic } from '../forwarder/statistics.ts';
import type { TracedPacket } from '../forwarder/trace.ts';
import type { TraceFilter } from '../forwarder/trace-filter.ts';
import type { Trace } from '../forwarder/tracer.ts';
import { type Flow, parseVip } from '../forwarder/vip.ts';
import type { NextHop } from '../system/next-hop.ts';
import { askForNeighbour, neighbourOf, ownAddresses } from '../system/neighbours.ts';
import { pause } from '../system/pause.ts';
import { ClusterBook } from './cluster-book.ts';
import { explainFlow, type FlowExplanation } from './explain.ts';
import type { ClusterStatus, GatewayStatus, RealStatus, VipStatus } from './status.ts';
import { type RealPlace, VipService } from './vip-service.ts';

export interface GatewayParts {
  readonly forwarder: Forwarder;
  readonly nextHop: NextHop;
  readonly mtu: number;
  readonly runtime?: Partial<Runtime>;
  /** Kinds of discovery that clusters may name. */
  readonly sources?: readonly DiscoverySource[];
}

/** What a change of the configuration did. */
export interface AppliedChange {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** After news from a cluster, for what comes with it: a health check seldom ends alone. */
const COALESCE_MS = 10;
const READY_POLL_MS = 50;
/** For what is published without an event: steps of slow start, ends of drains, another Ethernet address. */
const TICK_MS = 1_000;

/** Options that are part of the loaded program or of its attachment. */
const FIXED = [
  'name',
  'interfaces',
  'mode',
  'mtu',
  'nextHop',
  'flowsPerCpu',
  'ringSeed',
  'outerSource',
  'repliesPerSecond',
  'nat',
  'guard',
  'next',
  'admin',
] as const satisfies readonly (keyof GatewayConfig)[];

/** Keeps the tables of a forwarder what configuration, discovery and health say. Use `createGateway`. */
export class Gateway {
  readonly #forwarder: Forwarder;
  readonly #runtime: Runtime;
  readonly #clusters: ClusterBook;
  readonly #services = new Map<string, VipService>();
  readonly #mtu: number;
  readonly #startedAtMs: number;
  #config: GatewayConfig;
  #nextHop: NextHop;
  #ownAddresses: ReadonlySet<string> = ownAddresses();
  /** Ethernet addresses of reals on the link, as they were last known. */
  readonly #stations = new Map<string, string>();
  #pending: Timer | undefined;
  #tick: Timer | undefined;
  #refused: string | undefined;
  #isAttached = false;
  #isClosed = false;

  /** Adds all VIPs; nothing is attached yet. @throws ConfigError, BpfError as {@link apply} */
  constructor(config: GatewayConfig, parts: GatewayParts) {
    this.#forwarder = parts.forwarder;
    this.#nextHop = parts.nextHop;
    this.#mtu = parts.mtu;
    this.#runtime = createRuntime(parts.runtime);
    this.#startedAtMs = this.#runtime.clock.nowMs();
    this.#clusters = new ClusterBook({
      runtime: this.#runtime,
      sources: parts.sources ?? [],
      onChange: () => this.#request(),
    });
    this.#config = { ...config, vips: [], clusters: new Map() };
    this.apply(config);
    this.#beat();
  }

  get config(): GatewayConfig {
    return this.#config;
  }

  /** Attaches to the interfaces, and takes over from a predecessor in one step each. */
  attach(): void {
    const { interfaces, mode } = this.#config;
    for (const name of interfaces) this.#forwarder.attach({ interface: name, mode });
    this.#forwarder.detachOthers(interfaces);
    this.#forwarder.releaseKept();
    this.#isAttached = true;
  }

  /**
   * Brings another configuration into force: clusters and VIPs that stay the same are not touched.
   *
   * @throws ConfigError for what takes a restart and for wrong options; BpfError when the tables are full. The old
   *   configuration is in force then, as a whole
   */
  apply(config: GatewayConfig): AppliedChange {
    try {
      const change = this.#change(config);
      this.#refused = undefined;
      return change;
    } catch (error) {
      this.#refused = (error as Error).message;
      throw error;
    }
  }

  /** A configuration could not even be read; the status says why. */
  noteRefused(message: string): void {
    this.#refused = message;
  }

  /** Resolves once every VIP has a real for new flows. @returns false when that took longer than `limitMs` */
  async ready(limitMs: number): Promise<boolean> {
    const { clock } = this.#runtime;
    const endMs = clock.nowMs() + limitMs;
    while (!this.isReady && clock.nowMs() < endMs && !this.#isClosed) {
      await pause(READY_POLL_MS, { runtime: this.#runtime });
    }
    return this.isReady;
  }

  get isReady(): boolean {
    return this.#services.values().every(({ isReady }) => isReady);
  }

  /** Which real a new flow would get, and why. @throws ConfigError for a flow that cannot be */
  explain(flow: Flow): FlowExplanation {
    const place = this.#forwarder.placeOf(flow);
    if (place === undefined) return explainFlow(flow, undefined);
    const { vip, real, route } = place;
    return explainFlow(flow, { vip, real, ...this.#services.get(vip)?.behind(route) });
  }

  status(): GatewayStatus {
    const statistics = this.#forwarder.statistics();
    const { name, interfaces } = this.#config;
    const nowMs = this.#runtime.clock.nowMs();
    return {
      name,
      interfaces,
      nextHop: this.#nextHop.mac,
      mtu: this.#mtu,
      adopted: this.#forwarder.isAdopted,
      ready: this.isReady,
      uptimeMs: nowMs - this.#startedAtMs,
      tableBytes: this.#forwarder.tableBytes,
      vips: statistics.vips.map((counted): VipStatus => {
        const service = this.#services.get(parseVip(counted.vip).name);
        const traffic = new Map(counted.reals.map((real) => [real.address, real]));
        const reals = (service?.reals ?? []).map(({ drainsUntilMs, ...real }): RealStatus => ({
          ...real,
          drainsForMs: drainsUntilMs === undefined ? undefined : Math.max(0, drainsUntilMs - nowMs),
          packets: traffic.get(real.address)?.packets ?? 0n,
          bytes: traffic.get(real.address)?.bytes ?? 0n,
        }));
        return {
          name: parseVip(counted.vip).name,
          vip: counted.vip,
          cluster: service?.vip.cluster ?? '',
          ready: service?.isReady ?? false,
          packets: counted.packets,
          bytes: counted.bytes,
          reals,
        };
      }),
      clusters: this.#clusters.all.map((cluster): ClusterStatus => {
        const snapshot = cluster.snapshot();
        const { ready, panic, healthyCount, eligibleCount, discovery } = snapshot;
        return {
          name: cluster.name,
          ...{ ready, panic, healthyCount, eligibleCount },
          endpointCount: snapshot.endpoints.length,
          discovery: { kind: discovery.kind, healthy: discovery.healthy },
        };
      }),
      packets: statistics.packets,
      refusedConfig: this.#refused,
    };
  }

  /** The clusters of now, for metrics. */
  get clusters(): readonly Cluster[] {
    return this.#clusters.all;
  }

  /** What each CPU forwarded. */
  cpuTraffic(): readonly Traffic[] {
    return this.#forwarder.cpuTraffic();
  }

  /** Flows that the cache remembers; `limit` are handed out, all are counted. */
  flows(options: { limit: number; keep?: (flow: CachedFlow) => boolean }): FlowDump {
    return this.#forwarder.flows(options);
  }

  /** Reports packets that match, one by one; see {@link Forwarder.trace}. */
  trace(filter: TraceFilter, handle: (packet: TracedPacket) => void): Trace {
    return this.#forwarder.trace(filter, handle);
  }

  /** How full the tables of the program are. */
  fill(): ForwarderFill {
    return this.#forwarder.fill();
  }

  /**
   * Stops checks and discovery, and the program unless it is to be kept. Idempotent.
   *
   * @param keep default: what `onStop` of the configuration says
   */
  async close(keep: boolean = this.#config.onStop === 'keep'): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pending?.cancel();
    this.#tick?.cancel();
    this.#forwarder.close({ keep });
    await this.#clusters.close();
  }

  #change(config: GatewayConfig): AppliedChange {
    this.#assertFixed(config);
    const wanted = new Map(config.vips.map((vip) => [parseVip(vip).name, vip]));
    const clusters = this.#clusters.prepare(config.clusters);
    const added: string[] = [];
    const changed: string[] = [];
    const former = new Map(Array.from(this.#services, ([name, { vip }]) => [name, vip]));
    try {
      for (const [name, vip] of wanted) {
        const service = this.#services.get(name);
        if (service === undefined) {
          this.#services.set(name, this.#serve(name, vip));
          added.push(name);
        } else if (!isDeepStrictEqual(service.vip, vip)) {
          service.configure(vip);
          changed.push(name);
        }
      }
      // Last, so that nothing has to be undone when it is refused.
      if (config.guard !== undefined) this.#forwarder.setGuard(config.guardRules);
    } catch (error) {
      // Nobody may see half of a configuration. Before it is attached nobody does, and a predecessor's program, which
      // still runs, reads some of the same tables.
      if (this.#isAttached) for (const name of added) this.#remove(name);
      for (const name of changed) {
        const vip = former.get(name);
        if (vip !== undefined) this.#services.get(name)?.configure(vip);
      }
      clusters.rollback();
      throw error;
    }
    const removed = [...this.#services.keys()].filter((name) => !wanted.has(name));
    for (const name of removed) this.#remove(name);
    clusters.commit();
    this.#config = config;
    this.#request();
    return { added, changed, removed };
  }

  #assertFixed(config: GatewayConfig): void {
    const issues = FIXED.filter((key) => !isDeepStrictEqual(this.#config[key], config[key])).map(
      (key) => ({
        path: key === 'interfaces' ? 'interface' : key,
        expected: `${JSON.stringify(this.#config[key]) ?? 'none'}, because another value takes a restart`,
        actual: JSON.stringify(config[key]) ?? 'none',
      }),
    );
    if (issues.length > 0) throw new ConfigError(issues);
  }

  #serve(name: string, vip: GatewayVip): VipService {
    const kept = this.#forwarder.kept.filter(({ owner }) => owner === name);
    return new VipService({
      forwarder: this.#forwarder,
      vip,
      kept: kept.map(({ address, weight }) => ({ address, weight })),
      placeOf: (address, options) => this.#placeOf(address, options),
    });
  }

  /** A real at an address of this machine is this machine: its packets go up instead of out. */
  #placeOf(address: string, { forward }: GatewayVip): RealPlace | undefined {
    const local = this.#ownAddresses.has(address);
    const router = { nextHop: this.#nextHop.mac, local };
    if (local || forward !== 'l2') return router;
    // Unchanged packets reach their real by its Ethernet address alone.
    const [name = ''] = this.#config.interfaces;
    const mac = neighbourOf(address, name) ?? this.#stations.get(address);
    if (mac === undefined) {
      void askForNeighbour(address);
      return undefined;
    }
    this.#stations.set(address, mac);
    return { nextHop: mac, local };
  }

  #remove(name: string): void {
    this.#services.get(name)?.remove();
    this.#services.delete(name);
  }

  /** Soon, with everything else that happens meanwhile. */
  #request(): void {
    if (this.#pending !== undefined || this.#isClosed) return;
    this.#pending = this.#runtime.scheduler.after(COALESCE_MS, () => {
      this.#pending = undefined;
      this.#sync();
    });
  }

  #beat(): void {
    this.#tick = this.#runtime.scheduler.after(TICK_MS, () => {
      this.#followNextHop();
      this.#ownAddresses = ownAddresses();
      this.#sync();
      this.#beat();
    });
  }

  /** The router may be replaced by another one with another Ethernet address. */
  #followNextHop(): void {
    const { address, mac } = this.#nextHop;
    const [name = ''] = this.#config.interfaces;
    const now = address === undefined ? mac : neighbourOf(address, name);
    if (now === undefined || now === mac) return;
    this.#runtime.logger.warn({ from: mac, to: now }, 'the next hop has another Ethernet address');
    this.#nextHop = { address, mac: now };
  }

  #sync(): void {
    const { clock, logger } = this.#runtime;
    const snapshots = new Map<string, ClusterSnapshot | undefined>();
    const snapshotOf = (name: string): ClusterSnapshot | undefined => {
      if (!snapshots.has(name)) snapshots.set(name, this.#clusters.get(name)?.snapshot());
      return snapshots.get(name);
    };
    for (const service of this.#services.values()) {
      try {
        if (service.update(snapshotOf, clock.nowMs())) {
          const reals = service.reals.map(({ address, role, weight }) => ({
            address,
            role,
            weight,
          }));
          logger.info({ vip: parseVip(service.key).name, reals }, 'reals changed');
        }
      } catch (error) {
        // The old reals serve on; the next beat tries again.
        logger.error({ vip: service.key, error: (error as Error).message }, 'reals not updated');
      }
    }
    if (this.#services.values().some(({ isBehind }) => isBehind)) this.#request();
  }
}
