/** The configuration in force, and what is left of those before it. */
import { type Cluster, EvenkeelError } from '@evenkeel/core';
import { isDeepStrictEqual } from 'node:util';
import type { ProxyConfig } from '../config/proxy-config.ts';
import type { EngineHost } from '../engine/host.ts';
import type { RouteMeters } from '../observability/route-meters.ts';
import { Usage } from '../runtime/usage.ts';
import { loadCredentials } from '../tls/load-credentials.ts';
import { type ApplyReport, reportChanges } from './apply-report.ts';
import { configuredTools, type EngineTools, hostOf, type MutableHost } from './engine-hosts.ts';
import { Layer4, type Layer4Member } from './layer4.ts';
import { type FilterChains, FilterPlan } from './filter-plan.ts';
import { TcpListener } from '../tcp/tcp-listener.ts';
import { UdpListener } from '../udp/udp-listener.ts';
import { HttpPort } from './http-port.ts';
import { LogPart } from './log-part.ts';
import { type Generation, type Part, Parts } from './parts.ts';
import type { Port } from './port.ts';
import { type InForce, Preparation } from './preparation.ts';
import { observerOf } from './observer.ts';
import { ReachedCluster } from './upstreams.ts';
import { within } from './within.ts';

export interface ConfigurationsTools {
  readonly tools: EngineTools;
  readonly meters: RouteMeters;
  readonly rebuildsSockets: boolean;
}

interface ChangeOptions {
  readonly drainTimeoutMs: number;
  /** What the options are called in errors. */
  readonly path: string;
}

interface Current {
  readonly config: ProxyConfig;
  readonly path: string;
  /** In the order of the listeners. */
  readonly ports: readonly Port[];
  readonly upstreams: ReadonlyMap<string, ReachedCluster>;
  readonly filters: FilterChains;
  readonly log: LogPart | undefined;
  /** Upstreams, filters and log. */
  readonly parts: readonly Part[];
  readonly generation: Generation;
}

/**
 * Connections of a removed listener end with a response that says so. A client whose connection is idle may have sent a
 * request that is not here yet, so it gets the time for one.
 */
const IDLE_MS = 5_000;

/** A socket that was destroyed says so in the next turn of the event loop. */
const GONE_MS = 1_000;

export class Configurations {
  readonly tools: EngineTools;
  readonly meters: RouteMeters;
  readonly layer4: Layer4;
  readonly parts: Parts = new Parts();

  #current: Current | undefined = undefined;
  #count = 0;
  /** That of connections to endpoints, which may outlast every listener. */
  #upstreamHost: MutableHost | undefined = undefined;
  /** Closed, with connections that are not; and when they are. */
  readonly #leaving = new Map<Port, Promise<void>>();
  /** Those that are open. */
  readonly #logs = new Set<LogPart>();
  /** Of the others. */
  #droppedLogLineCount = 0;
  #isClosing = false;

  constructor({ tools, meters, rebuildsSockets }: ConfigurationsTools) {
    this.tools = tools;
    this.meters = meters;
    const { runtime, sweeper } = tools;
    this.layer4 = new Layer4({ runtime, sweeper, rebuildsSockets });
  }

  /** Of the configuration in force. */
  get config(): ProxyConfig {
    return (this.#current as Current).config;
  }

  /** What its options are called in errors. */
  get path(): string {
    return this.#current?.path ?? '';
  }

  /** In the order of its listeners. */
  get ports(): readonly Port[] {
    return this.#current?.ports ?? [];
  }

  get filters(): FilterChains {
    return this.#current?.filters ?? NO_FILTERS;
  }

  get clientCount(): number {
    const ports = [...this.ports, ...this.#leaving.keys()];
    return ports.reduce((sum, port) => sum + (port instanceof HttpPort ? port.activeCount : 0), 0);
  }

  get droppedLogLineCount(): number {
    const logs = [...this.#logs];
    return logs.reduce((sum, { log }) => sum + log.droppedCount, this.#droppedLogLineCount);
  }

  /** One at a time. @throws ConfigError; what was in force stays then */
  async change(config: ProxyConfig, { path, drainTimeoutMs }: ChangeOptions): Promise<ApplyReport> {
    const tls = config.listeners.map((listener) => listener.tls);
    const credentials = await loadCredentials(tls, config.upstreamTls, path);
    const { tools, layer4 } = this;
    const filters = await FilterPlan.make(config, {
      ports: { runtime: tools.runtime, baseDirectory: process.cwd() },
      path,
      before: this.filters,
    });
    const usage = new Usage();
    const meters = this.meters.plan();
    const log = this.#logOf(config);
    const { runtime } = tools;
    const observer = observerOf(config, {
      runtime,
      unrouted: this.meters.none,
      log: log?.log,
      usage,
    });
    const configured = configuredTools(config, observer);
    const upstreamHost = (this.#upstreamHost ??= hostOf(tools, configured, NOBODY));
    const materials = { tools, configured, credentials, meters, filters, layer4, upstreamHost };
    const preparation = new Preparation(config, this.#inForce, materials);
    try {
      await preparation.make(path);
      if (this.#isClosing) throw new EvenkeelError('EVENKEEL_CLOSED', 'the proxy is closing');
    } catch (error) {
      await preparation.discard();
      throw error;
    }
    // From here on nothing fails, and nothing waits.
    const { ports, leaving } = preparation;
    const { upstreams } = preparation.upstreams;
    preparation.commit();
    Object.assign(upstreamHost, configured);
    this.meters.commit(meters);
    for (const port of ports) {
      const member = memberOf(port);
      if (member !== undefined) layer4.add(member);
    }
    const left = Promise.all(leaving.map((port) => this.#drain(port, drainTimeoutMs)));
    const unclaimed = preparation.layer4.commit(left);
    const before = this.#current;
    const parts = [...upstreams.values(), ...filters.built, ...(log === undefined ? [] : [log])];
    const generation = this.parts.hold(parts, usage);
    const { chains } = filters;
    this.#current = { config, path, ports, upstreams, filters: chains, log, parts, generation };
    if (log !== undefined) this.#follow(log);
    this.#count++;
    return {
      ...reportChanges(before?.config, config),
      generation: this.#count,
      drained: this.#retire(before, { left, unclaimed }),
    };
  }

  /** @param changing settles when no change is under way */
  async close(drainTimeoutMs: number, changing: Promise<unknown>): Promise<void> {
    this.#isClosing = true;
    for (const port of [...this.ports, ...this.#leaving.keys()]) {
      port.close();
      port.drain(0);
    }
    await changing;
    const { scheduler } = this.tools.runtime;
    const leaving = Promise.all(
      [...this.#leaving.values()].concat(this.ports.map((port) => this.#leave(port))),
    );
    await within(scheduler, leaving, drainTimeoutMs);
    this.layer4.close();
    for (const port of this.#leaving.keys()) port.destroy();
    await this.parts.close((part) => part instanceof ReachedCluster);
    await within(scheduler, leaving, GONE_MS);
    await this.parts.close();
    this.tools.sweeper.close();
  }

  get #inForce(): InForce {
    return this.#current ?? { config: undefined, ports: [], upstreams: new Map() };
  }

  /** The log goes on where nothing about it changes. */
  #logOf({ accessLog, options }: ProxyConfig): LogPart | undefined {
    const current = this.#current;
    const stays = isDeepStrictEqual(current?.config.options.accessLog, options.accessLog);
    if (stays && current?.log !== undefined) return current.log;
    return accessLog && new LogPart(accessLog, this.tools.runtime);
  }

  #follow(part: LogPart): void {
    if (this.#logs.has(part)) return;
    this.#logs.add(part);
    void this.parts.gone(part).then(() => {
      this.#logs.delete(part);
      this.#droppedLogLineCount += part.log.droppedCount;
    });
  }

  /** @returns once all is gone that only an earlier configuration had */
  async #retire(before: Current | undefined, { left, unclaimed }: Retiring): Promise<void> {
    const { logger } = this.tools.runtime;
    const { parts } = this;
    const now = new Set(this.#current?.parts);
    const old = (before?.parts ?? []).filter((part) => !now.has(part));
    const gone = old.map((part) => parts.gone(part));
    before?.generation.retire(left).catch((error: unknown) => {
      logger.error({ error }, 'something of an earlier configuration did not close');
    });
    await Promise.all([left, ...gone, ...unclaimed.values()]);
  }

  /** A port that no configuration has any more. @returns once nobody is left there */
  async #drain(port: Port, limitMs: number): Promise<void> {
    port.close();
    port.drain(Math.min(IDLE_MS, limitMs / 2));
    const left = this.#leave(port);
    if (await within(this.tools.runtime.scheduler, left, limitMs)) return;
    port.destroy();
    await left;
  }

  /** Of a port that is closed. @returns once nobody is left there */
  #leave(port: Port): Promise<void> {
    const left = port.gone().then(() => {
      this.#leaving.delete(port);
      const member = memberOf(port);
      if (member !== undefined) this.layer4.delete(member);
    });
    this.#leaving.set(port, left);
    return left;
  }
}

interface Retiring {
  /** Settles when the last listener is gone that only the earlier one had. */
  readonly left: Promise<unknown>;
  /** By the cluster that no listener passes connections to any more: once the last of them is over. */
  readonly unclaimed: ReadonlyMap<Cluster, Promise<void>>;
}

const NO_FILTERS: FilterChains = new Map();

const NOBODY: Pick<EngineHost, 'closed'> = { closed: () => undefined };

/** What of a port is relayed as it is. */
function memberOf(port: Port): Layer4Member | undefined {
  if (port instanceof HttpPort) return port.passed;
  if (port instanceof TcpListener) return port.connections;
  return port instanceof UdpListener ? port : undefined;
}
