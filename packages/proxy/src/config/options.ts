/** The options of a proxy: what a user writes, what it means, and how it is checked. */
import type { Cluster } from '@evenkeel/core';
import { ConfigError } from '@evenkeel/core';
import { type RetryConfig, type RetryPolicyOptions, retrySchema } from '@evenkeel/core/resilience';
import { decode, durationMs, integer, object, text } from '@evenkeel/core/schema';
import { z } from 'zod';

/** What a user passes to `createProxy`. */
export interface ProxyOptions {
  /** The clusters that routes name. They stay their owner's, who closes them after the proxy. */
  readonly clusters: readonly Cluster[];
  readonly listeners: readonly ListenerOptions[];
  readonly timeouts?: Partial<ProxyTimeouts> | undefined;
  readonly limits?: Partial<ProxyLimits> | undefined;
  /**
   * Peers whose word about their clients is taken: addresses and networks, `10.0.0.0/8`. What others say in
   * `x-forwarded-*` and `forwarded` is dropped. Default: nobody.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Name of this proxy in `via` (RFC 9110 section 7.6.3), or false for no such field. Default `evenkeel`. */
  readonly via?: string | false | undefined;
}

export interface ListenerOptions {
  /** `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:80`; port 0 for any free one. */
  readonly listen: string;
  readonly http: HttpOptions;
}

export interface HttpOptions {
  readonly routes: readonly RouteOptions[];
}

export interface RouteOptions {
  /** Hosts that the route is for: `example.com`, `*.example.com`, `*`. Default all. */
  readonly domains?: readonly string[] | undefined;
  /** Which paths; default all. */
  readonly match?: { readonly path: PathOptions } | undefined;
  /** Name of the cluster that answers. */
  readonly cluster: string;
  /** Further tries on other endpoints, or false for none. */
  readonly retry?: RetryPolicyOptions | false | undefined;
}

/** Exactly one of them. */
export interface PathOptions {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
}

/** Time limits. All in milliseconds, 1 ms..24 h. */
export interface ProxyTimeouts {
  /** For the head of a request, from its first byte, or from accepting the connection. Default 10,000. */
  readonly headMs: number;
  /** For a connection without a request. Default 60,000. */
  readonly keepAliveMs: number;
  /** Longest silence within a body. Default 30,000. */
  readonly bodyIdleMs: number;
  /** To connect to an endpoint, and to wait for a free connection. Default 3,000. */
  readonly connectMs: number;
  /** From the end of a request to the head of its response. Default 30,000. */
  readonly responseHeadMs: number;
  /** For a request with all its tries, to the last byte of the response. Default none. */
  readonly requestMs: number | undefined;
  /** Longest time in which a client takes nothing of a response. Default 30,000. */
  readonly sendStallMs: number;
  /** For an idle connection to an endpoint. Default 15,000. */
  readonly upstreamIdleMs: number;
  /** Longest silence in a tunnel (WebSocket). Default 3,600,000. */
  readonly tunnelIdleMs: number;
}

export interface ProxyLimits {
  /** Bytes of a message head. 256..1,048,576, default 16,384. */
  readonly maxHeadBytes: number;
  /** Field lines of a message. 1..1,000, default 100. */
  readonly maxFields: number;
  /** Bytes of a request target. 16..65,536, default 8,192. */
  readonly maxTargetBytes: number;
  /** Connections of clients, per listener. 1..1,000,000, default 100,000. */
  readonly maxClients: number;
  /** Connections per endpoint. 1..65,535, default 1,024. */
  readonly maxConnectionsPerEndpoint: number;
  /** Requests per endpoint that wait for a connection. 0..1,000,000, default 1,024. */
  readonly maxPendingPerEndpoint: number;
}

/** Checked options. */
export interface ProxyConfig {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly listeners: readonly ListenerConfig[];
  readonly timeouts: ProxyTimeouts;
  readonly limits: ProxyLimits;
  readonly trustedProxies: readonly string[];
  readonly via: string | false;
}

export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly RouteConfig[];
}

export interface RouteConfig {
  readonly domains: readonly string[];
  readonly match: { readonly path: PathOptions };
  readonly cluster: string;
  readonly retry: RetryConfig | false;
}

const DAY_MS = 86_400_000;
const limitMs = (defaultMs: number): z.ZodDefault<z.ZodNumber> =>
  durationMs({ min: 1, max: DAY_MS }).default(defaultMs);
const count = (max: number, byDefault: number): z.ZodDefault<z.ZodNumber> =>
  integer({ min: 1, max }).default(byDefault);

const DOMAIN = /^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i;
const PATH = /^\/[^\s#?]*$/;

const pathSchema = z
  .string({ error: 'a path that begins with /' })
  .max(4_096)
  .regex(PATH, { error: 'a path that begins with / and has no query' })
  .optional();

const routeSchema = object({
  domains: z
    .array(z.string().regex(DOMAIN, { error: 'a host name, *.suffix, or *' }))
    .min(1)
    .default(['*']),
  match: object({
    path: object({ exact: pathSchema, prefix: pathSchema }).refine(
      ({ exact, prefix }) => (exact === undefined) !== (prefix === undefined),
      { error: 'either exact or prefix' },
    ),
  }).default({ path: { prefix: '/' } }),
  cluster: text(253),
  retry: z.union([z.literal(false), retrySchema]).prefault({}),
});

const LISTEN = /^(\[[0-9a-f:.]+\]|[^:\s]+):(\d{1,5})$/i;

const schema = object({
  clusters: z.array(z.unknown()),
  listeners: z
    .array(
      object({
        listen: z.string().regex(LISTEN, { error: 'an address and a port, 127.0.0.1:8080' }),
        http: object({ routes: z.array(routeSchema) }),
      }),
    )
    .min(1, { error: 'at least one listener' }),
  timeouts: object({
    headMs: limitMs(10_000),
    keepAliveMs: limitMs(60_000),
    bodyIdleMs: limitMs(30_000),
    connectMs: limitMs(3_000),
    responseHeadMs: limitMs(30_000),
    requestMs: durationMs({ min: 1, max: DAY_MS }).optional(),
    sendStallMs: limitMs(30_000),
    upstreamIdleMs: limitMs(15_000),
    tunnelIdleMs: limitMs(3_600_000),
  }).prefault({}),
  limits: object({
    maxHeadBytes: integer({ min: 256, max: 1_048_576 }).default(16_384),
    maxFields: count(1_000, 100),
    maxTargetBytes: integer({ min: 16, max: 65_536 }).default(8_192),
    maxClients: count(1_000_000, 100_000),
    maxConnectionsPerEndpoint: count(65_535, 1_024),
    maxPendingPerEndpoint: integer({ min: 0, max: 1_000_000 }).default(1_024),
  }).prefault({}),
  trustedProxies: z.array(text(64)).default([]),
  via: z.union([z.literal(false), text(128).regex(/^[\w!#$%&'*+.^`|~-]+$/)]).default('evenkeel'),
});

/** @throws ConfigError naming every wrong option */
export function decodeProxyOptions(options: ProxyOptions): ProxyConfig {
  const { listeners, timeouts, limits, trustedProxies, via } = decode(
    schema,
    options,
    'createProxy',
  );
  const clusters = new Map(options.clusters.map((cluster) => [cluster.name, cluster]));
  const issues = listeners.flatMap(({ http }, at) =>
    http.routes.flatMap(({ cluster }, index) =>
      clusters.has(cluster)
        ? []
        : [
            {
              path: `createProxy.listeners[${at}].http.routes[${index}].cluster`,
              expected: `the name of one of the clusters (${[...clusters.keys()].join(', ')})`,
              actual: cluster,
            },
          ],
    ),
  );
  if (issues.length > 0) throw new ConfigError(issues);
  return {
    clusters,
    listeners: listeners.map(({ listen, http }) => ({ ...addressOf(listen), routes: http.routes })),
    timeouts: { ...timeouts, requestMs: timeouts.requestMs },
    limits,
    trustedProxies,
    via,
  };
}

function addressOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = LISTEN.exec(listen) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
