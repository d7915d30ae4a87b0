/** A listener whose requests are read and routed, with its connections and its routes. */
import type { CidrSet } from '../address/cidr-set.ts';
import type { Http2Config } from '../config/http2-options.ts';
import type { Client } from '../engine/host.ts';
import type { RouteTable } from '../engine/route.ts';
import { type ListenAddress, Listener } from '../listener/listener.ts';
import { type AddressLimitOptions, AddressLimits } from '../listener/address-limits.ts';
import type { MixedPort } from '../listener/mixed-port.ts';
import type { TcpConnections } from '../tcp/tcp-connections.ts';
import type { TcpHost } from '../tcp/tcp-host.ts';
import type { ServerCredentials } from '../tls/server-credentials.ts';
import type { TlsTerminator } from '../tls/terminator.ts';
import {
  type ConfiguredTools,
  type EngineTools,
  hostOf,
  type MutableHost,
} from './engine-hosts.ts';
import type { Port } from './port.ts';

/** What a configuration says about a listener, ready to be taken over. */
export interface HttpPortConfig {
  readonly configured: ConfiguredTools;
  readonly routes: RouteTable;
  readonly trusted: CidrSet | undefined;
  readonly maxClients: number;
  /** Undefined for clear text, which no listener changes to or from. */
  readonly credentials: ServerCredentials | undefined;
  /** Undefined where HTTP/1.1 alone is spoken. */
  readonly http2: Http2Config | undefined;
  /** Undefined for any number of connections of one client. */
  readonly perClient: AddressLimitOptions | undefined;
  /** Undefined where all connections are in clear text, or all are secure. */
  readonly mixed: MixedConfig | undefined;
}

/** What becomes of connections whose TLS does not end here. */
export interface MixedConfig {
  readonly isClearTaken: boolean;
  /** Of requests in clear text; undefined for the same as those over TLS have. */
  readonly clearRoutes: RouteTable | undefined;
  /** Undefined where none is passed through. */
  readonly passing: Passing | undefined;
}

/** TLS that is passed through. */
export interface Passing {
  readonly connections: TcpConnections;
  /** How they go on, for those that come from now on. */
  readonly change: Pick<TcpHost, 'timeouts' | 'targets'>;
}

/** What a listener is for life. */
export interface HttpPortShape {
  readonly proxyProtocol: boolean;
  readonly rebuildsSockets: boolean;
}

export class HttpPort implements Port {
  readonly #host: MutableHost;
  /** The same, but for its routes. */
  readonly #clearHost: MutableHost;
  #passed: TcpConnections | undefined;
  #limits: AddressLimits | undefined;
  readonly #clients = new Set<Client>();
  readonly #listener: Listener;

  constructor(tools: EngineTools, shape: HttpPortShape, config: HttpPortConfig) {
    this.#host = hostOf(tools, config.configured, {
      closed: (client) => this.#clients.delete(client),
    });
    this.#host.routes = config.routes;
    this.#clearHost = Object.create(this.#host) as MutableHost;
    this.#clearHost.routes = config.mixed?.clearRoutes ?? config.routes;
    this.#passed = config.mixed?.passing?.connections;
    const { trusted, maxClients, credentials, http2, perClient } = config;
    this.#limits = perClient && new AddressLimits(perClient);
    this.#listener = new Listener({
      host: this.#host,
      clients: this.#clients,
      trusted,
      maxClients,
      credentials,
      http2,
      addressLimits: this.#limits,
      mixed: mixedPortOf(config.mixed),
      clearHost: this.#clearHost,
      ...shape,
    });
  }

  /** Connections that are passed through, if there are or were any. */
  get passed(): TcpConnections | undefined {
    return this.#passed;
  }

  /** Of requests from now on. */
  get routes(): RouteTable {
    return this.#host.routes;
  }

  get address(): ListenAddress {
    return this.#listener.address;
  }

  get tls(): TlsTerminator | undefined {
    return this.#listener.tls;
  }

  get activeCount(): number {
    return this.#clients.size;
  }

  /** For requests and handshakes that begin from now on. Nothing fails, and nothing waits. */
  configure(config: HttpPortConfig): void {
    const { configured, routes, trusted, maxClients, credentials, http2, perClient } = config;
    Object.assign(this.#host, configured);
    this.#host.routes = routes;
    this.#clearHost.routes = config.mixed?.clearRoutes ?? routes;
    this.#passed ??= config.mixed?.passing?.connections;
    const mixed = mixedPortOf(config.mixed);
    // Who has how many connections is not forgotten.
    if (perClient === undefined) this.#limits = undefined;
    else if (this.#limits === undefined) this.#limits = new AddressLimits(perClient);
    else this.#limits.configure(perClient);
    const addressLimits = this.#limits;
    this.#listener.update({ trusted, maxClients, http2, addressLimits, mixed });
    if (credentials !== undefined) this.#listener.tls?.replace(credentials);
  }

  listen(host: string, port: number): Promise<void> {
    return this.#listener.listen(host, port);
  }

  close(): void {
    this.#listener.close();
  }

  drain(idleMs: number): void {
    this.#host.draining = true;
    for (const client of this.#clients) client.drain(idleMs);
  }

  destroy(): void {
    for (const client of this.#clients) client.stream.destroy();
    this.passed?.destroy();
  }

  gone(): Promise<void> {
    return this.#listener.gone();
  }
}

function mixedPortOf(mixed: MixedConfig | undefined): MixedPort | undefined {
  if (mixed === undefined) return undefined;
  const { isClearTaken, passing } = mixed;
  passing?.connections.update(passing.change);
  const byName = passing?.change.targets.byName;
  return {
    isClearTaken,
    passes: (name) => name !== undefined && byName?.find(name) !== undefined,
    pass: (arrived, onGone) => passing?.connections.take(arrived, onGone),
  };
}
