/** One undici Pool with the sockets that it opened, and how it connects. */
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Endpoint } from '../../model/endpoint.ts';
import { AdmissionError } from '../../resilience/admission-error.ts';
import { jittered } from '../../runtime/random.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Attempt, Carrier } from './attempt.ts';
import type { DispatcherConfig } from './options.ts';
import type { PoolCloser } from './pool-closer.ts';
import type { PoolEvents } from './pool-events.ts';
import type { RouteConfig } from './route-options.ts';
import { towardsPool } from './undici7-bridge.ts';

/** What all pools of a route have in common. */
export interface PoolEnvironment {
  readonly config: DispatcherConfig;
  readonly route: RouteConfig;
  readonly runtime: Runtime;
  readonly events: PoolEvents;
  readonly closer: PoolCloser;
}

/** How a request reaches the endpoint. */
export interface Way {
  /** Scheme and authority as the endpoint sees them. */
  readonly origin: string;
  /** Only with TLS. */
  readonly servername: string | undefined;
  readonly allowH2: boolean;
}

export class ManagedPool implements Carrier {
  readonly origin: string;
  readonly pool: Pool;
  readonly #multiplexed: boolean;
  readonly #environment: PoolEnvironment;
  readonly #sockets = new Set<Socket>();
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers();
  #busy = false;
  #expiresAtMs: number;

  constructor(endpoint: Endpoint, way: Way, environment: PoolEnvironment) {
    const { config, events } = environment;
    this.#environment = environment;
    this.origin = way.origin;
    this.#multiplexed = way.allowH2;
    this.#expiresAtMs = expiryOf(environment);
    this.pool = new Pool(way.origin, {
      connect: this.#connector(endpoint, way),
      connections: config.connections,
      pipelining: 1,
      allowH2: way.allowH2,
      keepAliveTimeout: config.keepAliveTimeoutMs,
      // The exchange keeps the time until the headers: it must also run while a request waits for a connection.
      headersTimeout: 0,
      bodyTimeout: config.bodyTimeoutMs,
    });
    this.pool.on('connect', (origin, targets) => events.connect(origin, targets));
    this.pool.on('disconnect', (origin, targets, error) =>
      events.disconnect(origin, targets, error),
    );
    this.pool.on('connectionError', (origin, targets, error) =>
      events.connectionError(origin, targets, error),
    );
    this.pool.on('drain', (origin) => this.#drained(origin));
  }

  /** Cluster time from which the connections count as too old. */
  get expiresAtMs(): number {
    return this.#expiresAtMs;
  }

  /** @returns false when no connection is free; `drain` follows */
  send(request: Dispatcher.DispatchOptions, attempt: Attempt): boolean {
    attempt.carrier = this;
    if (this.pool.dispatch(request, towardsPool(attempt))) return true;
    this.#busy = true;
    return false;
  }

  /** Lets running requests finish. */
  async close(): Promise<void> {
    // When a pool is destroyed while it closes with requests in its queue, undici never settles the close.
    await Promise.race([this.pool.close().catch(() => undefined), this.#gone.promise]);
    this.#clear();
  }

  /** Breaks running requests off; without an error of its own, with undici's. */
  async destroy(error: Error | null): Promise<void> {
    await this.pool.destroy(error).catch(() => undefined);
    this.#gone.resolve();
    this.#clear();
  }

  /** undici 7 forgets clients whose connection failed, with whatever they open afterwards. */
  #clear(): void {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#busy) this.#drained(new URL(this.origin));
  }

  #drained(origin: URL): void {
    this.#busy = false;
    this.#environment.events.drain(origin);
  }

  #connector(endpoint: Endpoint, way: Way): buildConnector.connector {
    const { config, route } = this.#environment;
    const { address } = endpoint;
    const connect = buildConnector({
      ...route.tls,
      allowH2: way.allowH2,
      timeout: config.connectTimeoutMs,
      ...(address.kind === 'unix' ? { socketPath: address.path } : {}),
    });
    const target =
      address.kind === 'unix'
        ? { hostname: 'localhost', host: 'localhost', port: '' }
        : {
            hostname: address.host,
            host: authority(address.host, address.port),
            port: String(address.port),
          };
    // An IP address is no server name (RFC 6066 section 3); the certificate is then checked against the address.
    const name = way.servername;
    const servername = name === undefined || isIP(name) !== 0 ? {} : { servername: name };
    return (options, callback) => {
      const { admission } = route.cluster;
      if (admission?.tryConnection() === false) {
        callback(
          new AdmissionError('threshold', { cluster: route.cluster.name, subject: 'connections' }),
          null,
        );
        return;
      }
      // undici returns the socket before it is connected, which its types do not say.
      this.#keep(
        connect(
          { ...options, ...target, servername: '', ...servername },
          callback,
        ) as unknown as Socket,
      );
    };
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#environment.route.cluster.admission?.endConnection();
    });
  }

  release(socket: Duplex): void {
    this.#sockets.delete(socket as Socket);
  }

  /**
   * An HTTP/1.1 connection without an answer is closed with its request. One of HTTP/2 stays, and if its peer is gone,
   * it swallows every later request as well: so they get a new one.
   */
  suspect(): void {
    if (this.#multiplexed) this.#expiresAtMs = Number.NEGATIVE_INFINITY;
  }
}

/**
 * The whole pool is replaced when it is old. undici's `clientTtl` would replace connections one by one, but reads the
 * clock for every connection that it looks at: with ten of them, that is as much as all the rest of balancing. Jittered,
 * so that the pools of several endpoints are not replaced together.
 */
function expiryOf({ config, route, runtime }: PoolEnvironment): number {
  const { maxConnectionAgeMs } = config;
  if (maxConnectionAgeMs === 0) return Number.POSITIVE_INFINITY;
  return route.cluster.nowMs() + jittered(runtime.random, maxConnectionAgeMs, 0.1);
}

/** Host and port as they stand in a URL. */
export function authority(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
