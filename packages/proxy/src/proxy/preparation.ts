/** A configuration on its way into force: all that may fail is done here, and can be undone. */
import { joinPath } from '@evenkeel/core/schema';
import type { ListenerConfig, ProxyConfig } from '../config/proxy-config.ts';
import type { EngineHost } from '../engine/host.ts';
import type { RouteTable } from '../engine/route.ts';
import type { MeterPlan } from '../observability/route-meters.ts';
import { RedirectRoute } from '../route/actions.ts';
import { compileRoutes } from '../route/compile.ts';
import type { Credentials } from '../tls/load-credentials.ts';
import { listenerNames } from './apply-report.ts';
import type { FilterPlan } from './filter-plan.ts';
import { bind, type Place } from './bind.ts';
import type { ConfiguredTools, EngineTools } from './engine-hosts.ts';
import { HttpPort, type HttpPortConfig, type MixedConfig } from './http-port.ts';
import { type Layer4, type Layer4Listener, Layer4Plan } from './layer4.ts';
import type { Port } from './port.ts';
import { type ReachedCluster, UpstreamPlan } from './upstreams.ts';

/** What is in force, as far as another configuration may keep it. */
export interface InForce {
  /** Undefined before the first configuration. */
  readonly config: ProxyConfig | undefined;
  /** In the order of its listeners. */
  readonly ports: readonly Port[];
  readonly upstreams: ReadonlyMap<string, ReachedCluster>;
}

/** What a configuration is made with. */
export interface Materials {
  readonly tools: EngineTools;
  readonly configured: ConfiguredTools;
  readonly credentials: Credentials;
  readonly meters: MeterPlan;
  readonly filters: FilterPlan;
  readonly layer4: Layer4;
  /** That of connections to endpoints. */
  readonly upstreamHost: EngineHost;
}

export class Preparation {
  readonly config: ProxyConfig;
  readonly upstreams: UpstreamPlan;
  readonly layer4: Layer4Plan;

  readonly #materials: Materials;
  readonly #inForce: InForce;
  readonly #changes: (() => void)[] = [];
  #ports: readonly Port[] = [];

  constructor(config: ProxyConfig, inForce: InForce, materials: Materials) {
    this.config = config;
    this.#inForce = inForce;
    this.#materials = materials;
    const { upstreamHost, credentials, layer4 } = materials;
    const wanted = { config, contexts: credentials.upstreams };
    this.upstreams = new UpstreamPlan(upstreamHost, wanted, inForce.upstreams);
    this.layer4 = new Layer4Plan(layer4, config, credentials);
  }

  /** In the order of the listeners. */
  get ports(): readonly Port[] {
    return this.#ports;
  }

  /** Those that were not there before. */
  get opened(): readonly Port[] {
    return this.#ports.filter((port) => !this.#inForce.ports.includes(port));
  }

  /** Listeners that the configuration does not have any more. */
  get leaving(): readonly Port[] {
    return this.#inForce.ports.filter((port) => !this.#ports.includes(port));
  }

  /**
   * Makes everything, and binds the ports that are new.
   *
   * @param path what the options are called in errors
   * @throws ConfigError; {@link discard} follows
   */
  async make(path: string): Promise<void> {
    const { config, ports } = this.#inForce;
    const { listeners } = this.config;
    const before = portsByName(this.#inForce);
    this.#ports = listenerNames(this.config.options).map((name, at) =>
      this.#portOf(listeners[at] as ListenerConfig, at, before.get(name)),
    );
    const { opened, leaving } = this;
    const held = ports
      .map((port, at) => placeOf(port, config?.listeners[at] as ListenerConfig, ''))
      .filter(({ port }) => leaving.includes(port));
    const opening = this.#ports
      .map((port, at) => {
        const place = joinPath(path, ['listeners', at, 'listen']);
        return placeOf(port, listeners[at] as ListenerConfig, place);
      })
      .filter(({ port }) => opened.includes(port));
    await bind(opening, held);
  }

  /** Nothing fails, and nothing waits: requests that begin after this meet the new configuration, and no other one. */
  commit(): void {
    for (const change of this.#changes) change();
    this.upstreams.commit();
  }

  /** What was made is not needed. */
  async discard(): Promise<void> {
    for (const port of this.opened) {
      port.close();
      port.drain(0);
    }
    await this.#materials.filters.discard();
    await this.upstreams.discard();
  }

  #portOf(listener: ListenerConfig, at: number, before: Port | undefined): Port {
    const { tools, layer4 } = this.#materials;
    if (listener.kind !== 'http') {
      if (before === undefined) return this.layer4.create(at) as Layer4Listener;
      this.#changes.push(this.layer4.change(before as Layer4Listener, at));
      return before;
    }
    const config = this.#httpConfig(listener, at, before);
    if (before instanceof HttpPort) {
      this.#changes.push(() => before.configure(config));
      return before;
    }
    const { rebuildsSockets } = layer4.tools;
    return new HttpPort(tools, { proxyProtocol: listener.proxyProtocol, rebuildsSockets }, config);
  }

  #httpConfig(listener: ListenerConfig, at: number, before: Port | undefined): HttpPortConfig {
    const { configured, credentials } = this.#materials;
    return {
      configured,
      routes: this.#routesOf(listener),
      trusted: this.config.trustedProxies,
      maxClients: this.config.limits.maxClients,
      credentials: credentials.listeners[at],
      http2: listener.http2,
      perClient: listener.perClient,
      mixed: this.#mixed(listener, before),
    };
  }

  #mixed({ clearText, tcp }: ListenerConfig, before: Port | undefined): MixedConfig | undefined {
    if (clearText === 'refuse' && tcp === undefined) return undefined;
    const connections = before instanceof HttpPort ? before.passed : undefined;
    return {
      isClearTaken: clearText !== 'refuse',
      clearRoutes: clearText === 'redirect' ? this.#toSecure() : undefined,
      passing: tcp && this.layer4.passing(tcp, connections),
    };
  }

  /** Every request to the same address, with TLS. */
  #toSecure(): RouteTable {
    const meter = this.#materials.meters.of(TO_SECURE, '');
    const route = new RedirectRoute(
      { status: 308, scheme: 'https', host: undefined, path: undefined },
      meter,
      { name: TO_SECURE, rewrite: undefined, filters: undefined, maxBodyBytes: Infinity, meter },
    );
    return { find: () => route };
  }

  #routesOf({ routes }: ListenerConfig): RouteTable {
    const { tools, configured, meters, filters } = this.#materials;
    return compileRoutes(routes, {
      random: tools.runtime.random,
      scheduler: tools.runtime.scheduler,
      maxBodyBytes: this.config.limits.maxBodyBytes,
      requestMs: configured.timeouts.requestMs,
      upstreamOf: (cluster) => this.upstreams.of(cluster),
      meterOf: (route, cluster) => meters.of(route, cluster),
      filtersOf: (route) => filters.filtersOf(route),
    });
  }
}

/** In metrics and logs. */
const TO_SECURE = 'redirect to https';

function portsByName({ config, ports }: InForce): ReadonlyMap<string, Port> {
  const names = config === undefined ? [] : listenerNames(config.options);
  return new Map(names.map((name, at) => [name, ports[at] as Port]));
}

function placeOf(port: Port, { host, port: number, udp }: ListenerConfig, path: string): Place {
  return { port, host, number, isUdp: udp !== undefined, path };
}
