/** Idle connections by endpoint, the one used last on top: the others may grow old and be closed. */
import { type Cluster, Outcome } from '@evenkeel/core';
import { type ConnectTarget, connectStream, type SocketStream } from '../socket/socket-stream.ts';
import type { UpstreamHttp2Config } from '../config/http2-options.ts';
import { openUpstreamSession } from '../http2/upstream/open-session.ts';
import { EndpointSessions } from '../http2/upstream/endpoint-sessions.ts';
import { UpstreamLane } from '../http2/upstream/upstream-lane.ts';
import type { ByteStream, StreamOwner } from '../socket/byte-stream.ts';
import { SecureTarget, type SecureUpstream } from '../socket/secure-target.ts';
import type { Requester } from './requester.ts';
import type { EngineHost } from './host.ts';
import { isSameClock } from './same-clock.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { WarmConnections } from './warm-connections.ts';

export interface PoolLimits {
  /** Connections per endpoint. 1..65,535. */
  readonly maxConnections: number;
  /** Requests per endpoint that wait for one. 0..1,000,000. */
  readonly maxPending: number;
}

export interface PoolOptions extends PoolLimits {
  /** Undefined for clear text. */
  readonly tls: SecureUpstream | undefined;
  /** Undefined for HTTP/1.1. */
  readonly http2: UpstreamHttp2Config | undefined;
}

const HTTP_1 = ['http/1.1'];

/** Where the connections of a pool lead. */
interface PoolTarget {
  readonly place: ConnectTarget;
  readonly secure: SecureTarget | undefined;
}

/** A connection, or what there is instead. */
export type Taken = UpstreamConnection | 'queued' | 'full';

/** All connections to one endpoint. */
export class EndpointPool {
  readonly #host: EngineHost;
  readonly #target: PoolTarget;
  readonly #limits: PoolLimits;
  /** Where requests are streams; each of {@link #all} is one then, or waits to be one. */
  readonly #sessions: EndpointSessions | undefined;
  readonly #all = new Set<UpstreamConnection>();
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting = new Set<Requester>();
  #closing = false;
  #onEmpty: (() => void) | undefined = undefined;

  constructor(host: EngineHost, target: PoolTarget, options: PoolOptions) {
    this.#host = host;
    this.#target = target;
    this.#limits = options;
    this.#sessions = sessionsOf(host, target, options.http2);
  }

  /** Connections. */
  get size(): number {
    if (this.#sessions === undefined) return this.#all.size;
    return this.#sessions.sessionCount + [...this.#all].filter(isPlain).length;
  }

  /** Those that nobody uses. */
  get idleCount(): number {
    if (this.#sessions === undefined) return this.#idle.length;
    return this.#sessions.idleCount + this.#idle.filter(isPlain).length;
  }

  /** An idle connection, or one that is being made, or a place in the queue for one. */
  take(exchange: Requester): Taken {
    const { counters } = this.#host;
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      counters.reuseCount++;
      return idle;
    }
    if (this.#all.size < this.#limits.maxConnections) return this.#open(exchange);
    if (this.#waiting.size >= this.#limits.maxPending) return 'full';
    this.#waiting.add(exchange);
    return 'queued';
  }

  /** An exchange waits no longer. */
  leave(exchange: Requester): void {
    this.#waiting.delete(exchange);
  }

  /** Makes connections until there are so many, those in use included. */
  warm(count: number): void {
    if (this.#closing) return;
    const wanted = Math.min(count, this.#limits.maxConnections);
    while (this.#all.size < wanted) this.#open(undefined);
  }

  #open(exchange: Requester | undefined): UpstreamConnection {
    const connection = new UpstreamConnection(this.#host, this, exchange);
    this.#all.add(connection);
    this.#host.sweeper.add(connection);
    connection.attach(this.#connect(connection));
    return connection;
  }

  #connect(owner: StreamOwner): ByteStream {
    if (this.#sessions !== undefined) return this.#sessions.connect(owner);
    this.#host.counters.connectCount++;
    return connect(this.#target, owner, HTTP_1);
  }

  /** A connection is free again. */
  put(connection: UpstreamConnection): void {
    if (this.#closing) {
      connection.stream.destroy();
      return;
    }
    connection.rest();
    const next = this.#nextWaiting();
    if (next === undefined) this.#idle.push(connection);
    else next.connected(connection);
  }

  /** A connection is closed. */
  remove(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    if (this.#all.size === 0) this.#onEmpty?.();
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    const next = this.#closing ? undefined : this.#nextWaiting();
    if (next !== undefined) next.connecting(this.#open(next));
  }

  #nextWaiting(): Requester | undefined {
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      return exchange;
    }
    return undefined;
  }

  /** Closes the idle connections now and the others when they are free. */
  drain(): void {
    this.#closing = true;
    // Their endpoint is gone: another one is asked.
    for (const exchange of [...this.#waiting]) {
      this.#waiting.delete(exchange);
      exchange.failed(Outcome.connectFailure, false);
    }
    for (const connection of this.#idle.splice(0)) connection.stream.destroy();
    this.#sessions?.drain();
  }

  /** @returns once all connections are gone */
  destroy(): Promise<void> {
    this.drain();
    this.#sessions?.destroy();
    if (this.#all.size === 0) return Promise.resolve();
    const gone = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const connection of this.#all) connection.stream.destroy();
    return gone;
  }
}

/** The pools of a cluster, by slot. */
export class UpstreamPools {
  readonly #host: EngineHost;
  readonly #cluster: Cluster;
  readonly #options: PoolOptions;
  readonly #bySlot: (EndpointPool | undefined)[] = [];
  readonly #unsubscribe: () => void;
  #warm: WarmConnections | undefined = undefined;
  /** Is the cluster's clock that of the proxy, so that one look at it does for both? */
  readonly sharesClock: boolean;

  constructor(host: EngineHost, cluster: Cluster, options: PoolOptions) {
    this.sharesClock = isSameClock(host.runtime.clock, cluster);
    this.#host = host;
    this.#cluster = cluster;
    this.#options = options;
    this.#unsubscribe = cluster.subscribe((event) => {
      // The endpoint has left: its slot may be given to another one.
      if (event.type === 'endpoint-removed') this.#removed(event.slot);
    });
  }

  /** Is TLS spoken to endpoints? */
  get isSecure(): boolean {
    return this.#options.tls !== undefined;
  }

  /** A connection to the endpoint of a slot, or a place in the queue for one. */
  take(slot: number, exchange: Requester): Taken {
    return (this.#bySlot[slot] ?? this.#open(slot))?.take(exchange) ?? 'full';
  }

  leave(slot: number, exchange: Requester): void {
    this.#bySlot[slot]?.leave(exchange);
  }

  /** From now on endpoints that are well have so many connections before there are requests. @param count 0 for none */
  keepWarm(count: number): void {
    this.#warm?.close();
    this.#warm = undefined;
    if (count === 0) return;
    this.#warm = new WarmConnections({
      cluster: this.#cluster,
      sweeper: this.#host.sweeper,
      warm: (slot) => (this.#bySlot[slot] ?? this.#open(slot))?.warm(count),
    });
    this.#warm.fill();
  }

  *pools(): Generator<EndpointPool, void, undefined> {
    for (const pool of this.#bySlot) if (pool !== undefined) yield pool;
  }

  /** @returns once all connections are gone */
  async destroy(): Promise<void> {
    this.#unsubscribe();
    this.#warm?.close();
    await Promise.all([...this.pools()].map((pool) => pool.destroy()));
  }

  #open(slot: number): EndpointPool | undefined {
    const endpoint = this.#cluster.endpoint(slot);
    if (endpoint === undefined) return undefined;
    const { address } = endpoint;
    const place: ConnectTarget =
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
    const { tls } = this.#options;
    const secure = tls && new SecureTarget(tls, endpoint);
    const pool = new EndpointPool(this.#host, { place, secure }, this.#options);
    this.#bySlot[slot] = pool;
    return pool;
  }

  #removed(slot: number): void {
    this.#bySlot[slot]?.drain();
    this.#bySlot[slot] = undefined;
  }
}

function connect(
  { place, secure }: PoolTarget,
  owner: StreamOwner,
  protocols: readonly string[],
): SocketStream {
  return connectStream(place, owner, secure && { target: secure, protocols });
}

/** Is it a connection of its own, among requests that share theirs? */
function isPlain({ stream }: UpstreamConnection): boolean {
  return stream instanceof UpstreamLane && stream.isPlain;
}

/** @returns undefined where connections are of HTTP/1.1, whatever the endpoint says */
function sessionsOf(
  host: EngineHost,
  target: PoolTarget,
  config: UpstreamHttp2Config | undefined,
): EndpointSessions | undefined {
  const isSecure = target.secure !== undefined;
  // In clear text nobody says what an endpoint speaks.
  if (config === undefined || (config.mode === 'auto' && !isSecure)) return undefined;
  const { runtime, sweeper, counters } = host;
  const ports = {
    sweeper,
    counters: counters.http2,
    soon: (task: () => void) => runtime.scheduler.soon(task),
    connectDueAtMs: () => runtime.clock.nowMs() + host.timeouts.connectMs,
    dialled: () => void counters.connectCount++,
    open: openUpstreamSession(host),
  };
  return new EndpointSessions(
    ports,
    { isSecure, connect: (owner, protocols) => connect(target, owner, protocols) },
    config,
  );
}
