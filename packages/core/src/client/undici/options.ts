/** Options of a dispatcher: what a user writes, and what the code works with after checking. */
import { z } from 'zod';
import { configError } from '../../error/config-error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { decode } from '../../schema/decode.ts';
import { durationMs, flag, integer, object, text } from '../../schema/fields.ts';
import {
  type ClusterRoute,
  type DispatchableCluster,
  type RouteConfig,
  routeConfig,
  routeFields,
  type RouteOptions,
} from './route-options.ts';

export interface DispatcherOptions extends RouteOptions {
  /** The clusters to send to, by name: `http://users/...` goes to the cluster `users`. */
  readonly clusters: readonly (DispatchableCluster | ClusterRoute)[];
  /**
   * Time for one try until the response headers, with waiting for a connection, without sending a streamed body.
   * 0: no limit. Default 30,000. undici's `headersTimeout` of a single request goes before it.
   */
  readonly headersTimeoutMs?: number | undefined;
  /** Longest silence within a response body. 0: no limit. Default 60,000. */
  readonly bodyTimeoutMs?: number | undefined;
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
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnectionAgeMs: number;
  readonly drainTimeoutMs: number;
  readonly allowH2: boolean;
  readonly passthrough: boolean;
}

const PATH = 'createDispatcher';
const DAY_MS = 86_400_000;
const anything = z.unknown().optional();
const limit = z.number().int().min(0).optional();

const schema = object({
  ...routeFields,
  clusters: anything,
  headersTimeoutMs: durationMs({ min: 0, max: DAY_MS }).default(30_000),
  bodyTimeoutMs: durationMs({ min: 0, max: DAY_MS }).default(60_000),
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

const affinity = z
  .custom((value) => typeof (value as { setCookie?: unknown } | null)?.setCookie === 'function', {
    error: 'what createCookieAffinity() returns',
  })
  .optional();

const clusterRouteSchema = object({
  ...routeFields,
  cluster: anything,
  hosts: z.array(text(260)).optional(),
  affinity,
});

/** @throws ConfigError naming every wrong option */
export function decodeOptions(options: DispatcherOptions): DispatcherConfig {
  const config = decode(schema, options, PATH);
  return {
    headersTimeoutMs: config.headersTimeoutMs,
    // undici takes whole milliseconds only.
    bodyTimeoutMs: Math.ceil(config.bodyTimeoutMs),
    connections: config.connections,
    connectTimeoutMs: config.connectTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    drainTimeoutMs: config.drainTimeoutMs,
    allowH2: config.allowH2,
    passthrough: config.passthrough,
  };
}

/** The clusters of a dispatcher; what one does not say for itself, the dispatcher says. @throws ConfigError */
export function decodeRoutes(options: DispatcherOptions): RouteConfig[] {
  const path = `${PATH}.clusters`;
  if (!Array.isArray(options.clusters))
    throw configError(path, 'a list of clusters', options.clusters);
  return options.clusters.map((entry: unknown, index) => {
    if (isCluster(entry)) return routeConfig({ cluster: entry }, options, PATH);
    const at = `${path}[${index}]`;
    decode(clusterRouteSchema, entry, at);
    const route = entry as ClusterRoute;
    if (!isCluster(route.cluster)) throw configError(`${at}.cluster`, 'a cluster', route.cluster);
    return routeConfig(route, options, at);
  });
}

/** Not `instanceof`: the cluster may come from another copy of the library, or be a double. */
function isCluster(value: unknown): value is DispatchableCluster {
  if (typeof value !== 'object' || value === null) return false;
  const { name, pick } = value as { name?: unknown; pick?: unknown };
  return typeof name === 'string' && typeof pick === 'function';
}
