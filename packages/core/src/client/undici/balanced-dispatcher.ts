import { Agent, Dispatcher, errors } from 'undici';
import { createRuntime } from '../../runtime/runtime.ts';
import { composed } from './composed.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeHost } from './exchange-host.ts';
import {
  type ExplainableRequest,
  explainRequest,
  type RequestExplanation,
} from './explain-request.ts';
import { type Handler, isHandler, type LegacyHandler, normaliseHandler } from './handler.ts';
import { type Callback, closedError, Lifecycle } from './lifecycle.ts';
import { type DispatcherOptions, decodeOptions, decodeRoutes } from './options.ts';
import { PoolCloser } from './pool-closer.ts';
import type { PoolEvents } from './pool-events.ts';
import { withRepeatableHeaders } from './request-headers.ts';
import { Route } from './route.ts';
import { Router } from './router.ts';
import type { DispatcherStats } from './stats.ts';
import { statsOf } from './stats-of.ts';

/**
 * A Dispatcher whose origins are clusters. Serves every caller that undici and Node have: handlers of either shape come
 * in at {@link dispatch}, everything else (request, stream, pipeline, connect, upgrade, compose) is inherited.
 */
export class BalancedDispatcher extends Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #host: ExchangeHost;
  readonly #router = new Router();
  readonly #routes: readonly Route[];
  readonly #lifecycle: Lifecycle;
  #agent: Agent | undefined = undefined;
  #runningCount = 0;
  #onIdle: (() => void) | undefined = undefined;

  /** @throws ConfigError */
  constructor(options: DispatcherOptions) {
    super();
    const config = decodeOptions(options);
    const routes = decodeRoutes(options);
    const runtime = createRuntime(options.runtime);
    const lifecycle = new Lifecycle({
      close: () => this.#close(),
      destroy: (error) => this.#destroy(error),
    });
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#host = {
      runtime,
      config,
      get destroyed() {
        return lifecycle.destroyed;
      },
      ended: () => this.#ended(),
    };
    const events = this.#events();
    const closer = new PoolCloser(runtime.scheduler, config.drainTimeoutMs);
    this.#routes = routes.map((route) => {
      const made = new Route({ runtime, config, closer, events, route });
      for (const host of route.hosts) this.#router.add(host, made);
      return made;
    });
  }

  get closed(): boolean {
    return this.#lifecycle.closed;
  }

  get destroyed(): boolean {
    return this.#lifecycle.destroyed;
  }

  /** Connections, requests and retries at this moment. */
  get stats(): DispatcherStats {
    return statsOf(this.#runningCount, this.#routes, this.#host.runtime.clock.nowMs());
  }

  /** Read by undici's WebSocket. */
  get webSocketOptions(): { maxFragments: number; maxPayloadSize: number } {
    const { maxFragments = 131_072, maxPayloadSize = 134_217_728 } = this.#options.webSocket ?? {};
    return { maxFragments, maxPayloadSize };
  }

  /** Read by undici's EventSource. */
  get eventSourceOptions(): { maxEventSize: number } {
    return { maxEventSize: this.#options.eventSource?.maxEventSize ?? MAX_STRING_LENGTH };
  }

  /**
   * What would be done with a request, and why: its time limits, further tries, affinity, and how its cluster chooses.
   * Sends, changes and counts nothing.
   *
   * @throws EvenkeelError when the origin names none of the clusters
   */
  // A property, because undici's `compose` puts a proxy around this, on which methods would not find private state.
  readonly explain = (request: ExplainableRequest): RequestExplanation => {
    const { origin } = request;
    const route = this.#router.find(String(origin));
    if (route === undefined) throw this.#router.unknown(String(origin));
    return explainRequest(route, withRepeatableHeaders({ path: '/', method: 'GET', ...request }));
  };

  /**
   * Accepts a request, or reports to the handler why not. Never throws for what a valid handler can be told.
   *
   * @param handler of the new or the legacy shape
   * @returns false when the connections to the chosen endpoint are all busy, or the request was refused; `drain`
   *   follows in the first case
   */
  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Handler | LegacyHandler,
  ): boolean {
    if (!isHandler(handler)) throw new errors.InvalidArgumentError('handler must be an object');
    const target = normaliseHandler(handler);
    const refusal = this.#refusal(options);
    if (refusal !== undefined) return refuse(target, refusal);
    const request = withoutDispatcher(options);
    const origin = typeof request.origin === 'string' ? request.origin : String(request.origin);
    const route = this.#router.find(origin);
    if (route !== undefined) {
      this.#runningCount++;
      route.rules.counters.runningCount++;
      return new Exchange({
        host: this.#host,
        route,
        request: withRepeatableHeaders(request),
        handler: target,
      }).begin();
    }
    if (!this.#host.config.passthrough) return refuse(target, this.#router.unknown(origin));
    return this.#passthrough().dispatch(request, target);
  }

  /** This dispatcher behind interceptors, the later ones outside. */
  override compose(interceptors: Dispatcher.DispatcherComposeInterceptor[]): BalancedDispatcher;
  override compose(...interceptors: Dispatcher.DispatcherComposeInterceptor[]): BalancedDispatcher;
  override compose(...interceptors: never[]): BalancedDispatcher {
    return composed(this, super.compose(...interceptors));
  }

  /** Takes no new requests, waits for those running and closes all connections. Clusters stay open. */
  override close(): Promise<void>;
  override close(callback: Callback): void;
  override close(callback?: Callback): Promise<void> | undefined {
    return this.#lifecycle.close(callback);
  }

  /** Breaks all requests off with `error` and closes all connections. Clusters stay open. */
  override destroy(error?: Error | null): Promise<void>;
  override destroy(callback: Callback): void;
  override destroy(error: Error | null, callback: Callback): void;
  override destroy(
    error?: Error | null | Callback,
    callback?: Callback,
  ): Promise<void> | undefined {
    return this.#lifecycle.destroy(error, callback);
  }

  #refusal(options: unknown): Error | undefined {
    if (typeof options !== 'object' || options === null) {
      return new errors.InvalidArgumentError('opts must be an object.');
    }
    const { origin } = options as { origin?: unknown };
    if (!(typeof origin === 'string' && origin !== '') && !(origin instanceof URL)) {
      return new errors.InvalidArgumentError('opts.origin must be a non-empty string or URL.');
    }
    return this.#lifecycle.closed ? closedError() : undefined;
  }

  /** An exchange has come to its end. */
  #ended(): void {
    this.#runningCount--;
    if (this.#runningCount === 0) this.#onIdle?.();
  }

  #passthrough(): Agent {
    const { config } = this.#host;
    if (this.#agent === undefined) {
      this.#agent = new Agent({
        connections: config.connections,
        connect: { ...this.#options.tls, timeout: config.connectTimeoutMs },
        keepAliveTimeout: config.keepAliveTimeoutMs,
        headersTimeout: Math.ceil(config.headersTimeoutMs),
        bodyTimeout: config.bodyTimeoutMs,
        allowH2: config.allowH2,
      });
      const events = this.#events();
      this.#agent.on('connect', events.connect);
      this.#agent.on('disconnect', events.disconnect);
      this.#agent.on('connectionError', events.connectionError);
      this.#agent.on('drain', events.drain);
    }
    return this.#agent;
  }

  #events(): PoolEvents {
    return {
      connect: (origin, targets) => this.emit('connect', origin, [this, ...targets]),
      disconnect: (origin, targets, error) =>
        this.emit('disconnect', origin, [this, ...targets], error as never),
      connectionError: (origin, targets, error) =>
        this.emit('connectionError', origin, [this, ...targets], error as never),
      drain: (origin) => this.emit('drain', origin),
    };
  }

  async #close(): Promise<void> {
    if (this.#runningCount > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    await Promise.all([...this.#routes.map((route) => route.close()), this.#agent?.close()]);
  }

  async #destroy(error: Error): Promise<void> {
    await Promise.all([
      ...this.#routes.map((route) => route.destroy(error)),
      this.#agent?.destroy(error),
    ]);
  }
}

/** What a string can hold in V8: 2^29 - 24 characters. */
const MAX_STRING_LENGTH = 536_870_888;

/** undici 7 leaves the `dispatcher` option in what it hands over; undici 8 refuses to see it again. */
function withoutDispatcher(options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  if ((options as { dispatcher?: unknown }).dispatcher === undefined) return options;
  return { ...options, dispatcher: undefined } as Dispatcher.DispatchOptions;
}

/** Tells the handler, as undici does; one that cannot be told gets an exception. */
function refuse(handler: Handler, error: Error): false {
  if (handler.onResponseError === undefined) throw error;
  handler.onResponseError(null as never, error);
  return false;
}
