/** Options of a dispatcher: what a user writes, and what the code works with after checking. */
import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import type { Cluster } from '../../cluster/face.ts';
import { configError } from '../../error/config-error.ts';
import type { RetryBudgetOptions } from '../../resilience/retry-budget.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { decode } from '../../schema/decode.ts';
import { durationMs, flag, integer, number, object, oneOf, text } from '../../schema/fields.ts';

/** How to talk TLS to endpoints; the words of `tls.connect`. */
export type DispatcherTls = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'ciphers'
  | 'minVersion'
  | 'maxVersion'
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
>;

/** What differs from cluster to cluster. */
export interface RouteOptions {
  /**
   * What endpoints see as `host`. `cluster`: the name in the URL, whichever endpoint it is. `endpoint`: the endpoint's
   * own host name (or address) and port. A `host` header in the request goes before both. Default `cluster`.
   */
  readonly hostHeader?: 'cluster' | 'endpoint' | undefined;
  /**
   * Name that endpoints must prove with their TLS certificate. Default: the endpoint's `hostname`, else its address if
   * that is a host name, else the name in the URL.
   */
  readonly servername?: string | undefined;
  readonly tls?: DispatcherTls | undefined;
}

/** What a dispatcher needs of a cluster. */
export type DispatchableCluster = Pick<
  Cluster,
  | 'name'
  | 'hashKeySource'
  | 'ready'
  | 'pick'
  | 'pickFailure'
  | 'start'
  | 'respond'
  | 'finish'
  | 'pushback'
  | 'endpoint'
  | 'nowMs'
  | 'subscribe'
>;

/** A cluster under host names of its own. */
export interface ClusterRoute extends RouteOptions {
  readonly cluster: DispatchableCluster;
  /**
   * Host names that lead to the cluster, in any case, each with or without a port (`users`, `users:9090`). A name
   * without port stands for all ports that no other entry names. Default: the cluster's name.
   */
  readonly hosts?: readonly string[] | undefined;
}

export interface RetryOptions {
  /** Tries after the first one, at most: 2 means up to three tries in all. An integer 0..5, default 2. */
  readonly attempts?: number | undefined;
  /** Statuses worth a try elsewhere, of idempotent requests only. Default 429, 502, 503, 504. */
  readonly statuses?: readonly number[] | undefined;
  /** How much all retries of this dispatcher may add to the load. */
  readonly budget?: Pick<RetryBudgetOptions, 'ratio' | 'minPerSecond'> | undefined;
  /** Longest `Retry-After` to wait for when there is no other endpoint. 0..60,000 ms, default 1,000. */
  readonly maxRetryAfterMs?: number | undefined;
  /** Longest of the pauses before a second retry or a return to the same endpoint. 1..60,000 ms, default 250. */
  readonly maxBackoffMs?: number | undefined;
}

export interface DispatcherOptions extends RouteOptions {
  /** The clusters to send to, by name: `http://users/...` goes to the cluster `users`. */
  readonly clusters: readonly (DispatchableCluster | ClusterRoute)[];
  /**
   * Time for a request from `dispatch()` to the end of the response body, all tries and waiting included; until the
   * switch of protocols for upgrades. 1 ms..24 h. Default: none, because a long download is no failure.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * Time for one try until the response headers, with waiting for a connection, without sending a streamed body.
   * 0: no limit. Default 30,000. undici's `headersTimeout` of a single request goes before it.
   */
  readonly headersTimeoutMs?: number | undefined;
  /** Longest silence within a response body. 0: no limit. Default 60,000. */
  readonly bodyTimeoutMs?: number | undefined;
  /** Further tries on other endpoints, or false for none. */
  readonly retry?: RetryOptions | false | undefined;
  /** Connections per endpoint, 1..65,535; further requests queue. Default 256. */
  readonly connections?: number | undefined;
  /** Time to connect, TLS included. 1 ms..10 min, default 3,000: one lost SYN is repeated after 1 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Time that an idle connection stays open, unless the endpoint asks for less. 1 ms..1 h, default 4,000. */
  readonly keepAliveTimeoutMs?: number | undefined;
  /**
   * Age at which an endpoint's connections are replaced by new ones, the busy ones when they are free: connections must
   * not outlive what DNS or a load balancer behind the endpoint has decided since. 0: never. Default 300,000, jittered
   * by 10 % per endpoint.
   */
  readonly maxConnectionAgeMs?: number | undefined;
  /** Time for requests in flight to an endpoint that was removed. 0..24 h, default 30,000. */
  readonly drainTimeoutMs?: number | undefined;
  /** Offer HTTP/2 over TLS. Default false, whichever undici is installed. */
  readonly allowH2?: boolean | undefined;
  /** Send requests for other hosts there directly, instead of failing them. Default false. */
  readonly passthrough?: boolean | undefined;
  /** Limits for undici's WebSocket on top of this dispatcher. */
  readonly webSocket?: WebSocketLimits | undefined;
  /** Limits for undici's EventSource on top of this dispatcher. */
  readonly eventSource?: EventSourceLimits | undefined;
  /** Time, timers and randomness; for tests. */
  readonly runtime?: Partial<Runtime> | undefined;
}

export interface WebSocketLimits {
  /** Fragments of one message. Default 131,072. */
  readonly maxFragments?: number | undefined;
  /** Bytes of one message. Default 128 MiB. */
  readonly maxPayloadSize?: number | undefined;
}

export interface EventSourceLimits {
  /** Characters of one event. Default: what a string can hold. */
  readonly maxEventSize?: number | undefined;
}

/** Checked options. */
export interface DispatcherConfig {
  readonly deadlineMs: number | undefined;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnectionAgeMs: number;
  readonly drainTimeoutMs: number;
  readonly allowH2: boolean;
  readonly passthrough: boolean;
  readonly retry: RetryConfig;
}

export interface RetryConfig {
  readonly attempts: number;
  readonly statuses: ReadonlySet<number>;
  readonly budget: RetryBudgetOptions;
  readonly maxRetryAfterMs: number;
  readonly maxBackoffMs: number;
}

const DAY_MS = 86_400_000;
const anything = z.unknown().optional();
const limit = z.number().int().min(0).optional();

const retrySchema = object({
  attempts: integer({ min: 0, max: 5 }).default(2),
  statuses: z.array(integer({ min: 400, max: 599 })).default([429, 502, 503, 504]),
  budget: object({
    ratio: number({ min: 0, max: 10 }).default(0.2),
    minPerSecond: number({ min: 0, max: 1_000_000 }).default(10),
  }).prefault({}),
  maxRetryAfterMs: durationMs({ min: 0, max: 60_000 }).default(1_000),
  maxBackoffMs: durationMs({ min: 1, max: 60_000 }).default(250),
});

const routeFields = {
  hostHeader: oneOf(['cluster', 'endpoint']).default('cluster'),
  servername: text(253).optional(),
  tls: anything,
};

const schema = object({
  ...routeFields,
  clusters: anything,
  deadlineMs: durationMs({ min: 1, max: DAY_MS }).optional(),
  headersTimeoutMs: durationMs({ min: 0, max: DAY_MS }).default(30_000),
  bodyTimeoutMs: durationMs({ min: 0, max: DAY_MS }).default(60_000),
  retry: z.union([z.literal(false), retrySchema]).prefault({}),
  connections: integer({ min: 1, max: 65_535 }).default(256),
  connectTimeoutMs: durationMs({ min: 1, max: 600_000 }).default(3_000),
  keepAliveTimeoutMs: durationMs({ min: 1, max: 3_600_000 }).default(4_000),
  maxConnectionAgeMs: durationMs({ min: 0, max: DAY_MS }).default(300_000),
  drainTimeoutMs: durationMs({ min: 0, max: DAY_MS }).default(30_000),
  allowH2: flag().default(false),
  passthrough: flag().default(false),
  webSocket: object({ maxFragments: limit, maxPayloadSize: limit }).optional(),
  eventSource: object({ maxEventSize: limit }).optional(),
  runtime: anything,
});

const clusterRouteSchema = object({
  ...routeFields,
  cluster: anything,
  hosts: z.array(text(260)).optional(),
});

/** @throws ConfigError naming every wrong option */
export function decodeOptions(options: DispatcherOptions): DispatcherConfig {
  const { retry, bodyTimeoutMs, ...config } = decode(schema, options, 'createDispatcher');
  const on = retry === false ? { ...decode(retrySchema, {}, ''), attempts: 0 } : retry;
  return {
    ...config,
    deadlineMs: config.deadlineMs,
    // undici takes whole milliseconds only.
    bodyTimeoutMs: Math.ceil(bodyTimeoutMs),
    retry: {
      attempts: on.attempts,
      statuses: new Set(on.statuses),
      budget: on.budget,
      maxRetryAfterMs: on.maxRetryAfterMs,
      maxBackoffMs: on.maxBackoffMs,
    },
  };
}

/** A cluster with everything that was said about reaching it. */
export interface RouteConfig {
  readonly cluster: DispatchableCluster;
  readonly hosts: readonly string[];
  readonly hostHeader: 'cluster' | 'endpoint';
  readonly servername: string | undefined;
  readonly tls: DispatcherTls | undefined;
}

/** The clusters of a dispatcher; what one does not say for itself, the dispatcher says. @throws ConfigError */
export function decodeRoutes(options: DispatcherOptions): RouteConfig[] {
  const path = 'createDispatcher.clusters';
  if (!Array.isArray(options.clusters))
    throw configError(path, 'a list of clusters', options.clusters);
  return options.clusters.map((entry: unknown, index) => {
    if (isCluster(entry)) return routeOf({ cluster: entry }, options);
    const at = `${path}[${index}]`;
    decode(clusterRouteSchema, entry, at);
    const route = entry as ClusterRoute;
    if (!isCluster(route.cluster)) throw configError(`${at}.cluster`, 'a cluster', route.cluster);
    return routeOf(route, options);
  });
}

function routeOf(route: ClusterRoute, defaults: RouteOptions): RouteConfig {
  const { cluster } = route;
  return {
    cluster,
    hosts: route.hosts ?? [cluster.name],
    hostHeader: route.hostHeader ?? defaults.hostHeader ?? 'cluster',
    servername: route.servername ?? defaults.servername,
    tls: route.tls ?? defaults.tls,
  };
}

/** Not `instanceof`: the cluster may come from another copy of the library, or be a double. */
function isCluster(value: unknown): value is DispatchableCluster {
  if (typeof value !== 'object' || value === null) return false;
  const { name, pick } = value as { name?: unknown; pick?: unknown };
  return typeof name === 'string' && typeof pick === 'function';
}
