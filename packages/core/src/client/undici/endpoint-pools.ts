/**
 * The connections to one endpoint: one undici Pool per authority, server name and protocol.
 *
 * The pool's URL is the logical one (`http://users`), and its connector goes to the endpoint's address instead. undici
 * then builds the `host` header and names the origin in its diagnostics by itself, and no request has to be rewritten.
 *
 * One pool per server name, because a Client keeps a single one: a request with another waits for those running and
 * then tears the connection down.
 */
import type { Dispatcher } from 'undici';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Attempt } from './attempt.ts';
import { authority, ManagedPool, type PoolEnvironment, type Way } from './managed-pool.ts';
import { requestHeader } from './request-headers.ts';

/**
 * Most pools of one endpoint. Each port and server name in a URL makes one, so a program that builds URLs from user
 * input could make any number; the oldest is closed then.
 */
const MAX_POOLS = 16;

export class EndpointPools {
  readonly endpoint: Endpoint;
  readonly #environment: PoolEnvironment;
  readonly #pools = new Map<string, ManagedPool>();
  /** The pool of the last plain request, found again without building a key. */
  #plainOrigin: string | undefined = undefined;
  #plainPool: ManagedPool | undefined = undefined;

  constructor(endpoint: Endpoint, environment: PoolEnvironment) {
    this.endpoint = endpoint;
    this.#environment = environment;
  }

  /** All open pools. */
  get pools(): Iterable<ManagedPool> {
    return this.#pools.values();
  }

  /** @returns false when the pool is saturated */
  send(origin: string, request: Dispatcher.DispatchOptions, attempt: Attempt): boolean {
    const plain = this.#plainPool;
    if (plain !== undefined && origin === this.#plainOrigin && !hasH2Wish(request)) {
      if (attempt.startedAtMs < plain.expiresAtMs) return plain.send(request, attempt);
      this.#plainPool = undefined;
    }
    const way = this.#way(origin, request);
    const pool = this.#poolFor(way, attempt.startedAtMs);
    if (way.servername === undefined && !hasH2Wish(request)) {
      this.#plainOrigin = origin;
      this.#plainPool = pool;
      return pool.send(request, attempt);
    }
    // Fixed per pool: undici would derive another one from a `host` header.
    return pool.send(
      { ...request, servername: way.servername } as Dispatcher.DispatchOptions,
      attempt,
    );
  }

  /** Hands all pools out, to be closed. Later requests get new ones. */
  takeAll(): ManagedPool[] {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#plainPool = undefined;
    return pools;
  }

  #way(origin: string, request: Dispatcher.DispatchOptions): Way {
    const { route, config } = this.#environment;
    const url = new URL(origin);
    const wire =
      route.hostHeader === 'cluster'
        ? url.origin
        : `${url.protocol}//${authorityOf(this.endpoint)}`;
    if (url.protocol !== 'https:') return { origin: wire, servername: undefined, allowH2: false };
    const { servername, allowH2 } = request as { servername?: unknown; allowH2?: unknown };
    return {
      origin: wire,
      servername:
        typeof servername === 'string' && servername !== ''
          ? servername
          : (route.servername ?? certificateName(this.endpoint) ?? hostOf(request) ?? url.hostname),
      allowH2: config.allowH2 && allowH2 !== false,
    };
  }

  #poolFor(way: Way, nowMs: number): ManagedPool {
    const key = `${way.origin} ${way.servername ?? ''} ${way.allowH2 ? 'h2' : 'h1'}`;
    let pool = this.#pools.get(key);
    if (pool !== undefined && nowMs >= pool.expiresAtMs) {
      this.#pools.delete(key);
      this.#environment.closer.retire(pool);
      pool = undefined;
    }
    if (pool === undefined) {
      this.#makeRoom();
      pool = new ManagedPool(this.endpoint, way, this.#environment);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #makeRoom(): void {
    if (this.#pools.size < MAX_POOLS) return;
    for (const [key, pool] of this.#pools) {
      this.#pools.delete(key);
      this.#plainPool = undefined;
      this.#environment.closer.retire(pool);
      return;
    }
  }
}

function hasH2Wish(request: Dispatcher.DispatchOptions): boolean {
  return (request as { allowH2?: unknown }).allowH2 !== undefined;
}

function certificateName(endpoint: Endpoint): string | undefined {
  return (
    endpoint.hostname ?? (endpoint.address.kind === 'hostname' ? endpoint.address.host : undefined)
  );
}

function hostOf(request: Dispatcher.DispatchOptions): string | undefined {
  const host = requestHeader(request.headers, 'host');
  return host === undefined ? undefined : URL.parse(`https://${host}`)?.hostname;
}

/** The endpoint as a `host` header names it. */
function authorityOf({ address, hostname }: Endpoint): string {
  if (address.kind === 'unix') return hostname ?? 'localhost';
  return authority(hostname ?? address.host, address.port);
}
