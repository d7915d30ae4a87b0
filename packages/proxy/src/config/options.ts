/** The options of a proxy: what a user writes, what it means, and how it is checked. */
import type { Cluster } from '@evenkeel/core';
import { ConfigError } from '@evenkeel/core';
import { decode, durationMs, flag, integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { RequestLogOptions } from '../observability/access-log/request-log.ts';
import { type AccessLogOptions, accessLogSchema } from './access-log-options.ts';
import type { RouteOptions } from './route-options.ts';
import { clustersOf, type RouteConfig, routeSchema } from './route-schema.ts';
import {
  layer4ClustersOf,
  type TcpConfig,
  type TcpOptions,
  tcpSchema,
  type UdpConfig,
  type UdpOptions,
  udpSchema,
} from './tcp-options.ts';
import {
  type TlsConfig,
  type TlsOptions,
  tlsSchema,
  type UpstreamTlsConfig,
  type UpstreamTlsOptions,
  upstreamTlsSchema,
} from './tls-options.ts';

/** What a user passes to `createProxy`. */
export interface ProxyOptions {
  /** The clusters that routes name. They stay their owner's, who closes them after the proxy. */
  readonly clusters: readonly Cluster[];
  readonly listeners: readonly ListenerOptions[];
  /** How endpoints are reached, by the name of their cluster. Default in clear text. */
  readonly upstreams?: Readonly<Record<string, UpstreamOptions>> | undefined;
  readonly timeouts?: Partial<ProxyTimeouts> | undefined;
  readonly limits?: Partial<ProxyLimits> | undefined;
  /**
   * Peers whose word about their clients is taken: addresses and networks, `10.0.0.0/8`. What others say in
   * `x-forwarded-*` and `forwarded` is dropped. Default: nobody.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Name of this proxy in `via` (RFC 9110 section 7.6.3), or false for no such field. Default `evenkeel`. */
  readonly via?: string | false | undefined;
  /**
   * Gives every request an id in `x-request-id`, for the endpoint, the client and the access log: the one that a trusted
   * peer sends, else a random one. Default false: the field passes like any other.
   */
  readonly requestId?: boolean | undefined;
  /** A line for each request. Default none. */
  readonly accessLog?: AccessLogOptions | undefined;
}

/** One of `http`, `tcp` and `udp`. */
export interface ListenerOptions {
  /** `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:80`; port 0 for any free one. */
  readonly listen: string;
  /**
   * Does every connection begin with a header of the PROXY protocol, version 1 or 2, that tells whose it is? Only from
   * peers in `trustedProxies`, who must send one then; all others are turned away. Default `off`.
   */
  readonly proxyProtocol?: 'off' | 'required' | undefined;
  /** Default clear text. */
  readonly tls?: TlsOptions | undefined;
  readonly http?: HttpOptions | undefined;
  /** Connections are passed on as they are. Neither `tls` nor `proxyProtocol` go with it. */
  readonly tcp?: TcpOptions | undefined;
  /** Datagrams are passed on as they are; without `tls` and `proxyProtocol`, too. */
  readonly udp?: UdpOptions | undefined;
}

export interface UpstreamOptions {
  readonly tls?: UpstreamTlsOptions | undefined;
}

export interface HttpOptions {
  readonly routes: readonly RouteOptions[];
}

/** Time limits. All in milliseconds, 1 ms..24 h. */
export interface ProxyTimeouts {
  /** For all that a client does before its first request: PROXY protocol and TLS handshake. Default 10,000. */
  readonly handshakeMs: number;
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
  /** TLS to endpoints, by the name of their cluster. */
  readonly upstreamTls: ReadonlyMap<string, UpstreamTlsConfig>;
  readonly timeouts: ProxyTimeouts;
  readonly limits: ProxyLimits;
  readonly trustedProxies: readonly string[];
  readonly via: string | false;
  readonly requestId: boolean;
  readonly accessLog: RequestLogOptions | undefined;
}

export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly proxyProtocol: boolean;
  readonly tls: TlsConfig | undefined;
  /** Undefined for `http`, like {@link udp}. */
  readonly tcp: TcpConfig | undefined;
  readonly udp: UdpConfig | undefined;
  readonly routes: readonly RouteConfig[];
}

const DAY_MS = 86_400_000;
const limitMs = (defaultMs: number): z.ZodDefault<z.ZodNumber> =>
  durationMs({ min: 1, max: DAY_MS }).default(defaultMs);
const count = (max: number, byDefault: number): z.ZodDefault<z.ZodNumber> =>
  integer({ min: 1, max }).default(byDefault);

const LISTEN = /^(\[[0-9a-f:.]+\]|[^:\s]+):(\d{1,5})$/i;

const schema = object({
  clusters: z.array(z.unknown()),
  listeners: z
    .array(
      object({
        listen: z.string().regex(LISTEN, { error: 'an address and a port, 127.0.0.1:8080' }),
        proxyProtocol: oneOf(['off', 'required']).default('off'),
        tls: tlsSchema.optional(),
        http: object({ routes: z.array(routeSchema) }).optional(),
        tcp: tcpSchema.optional(),
        udp: udpSchema.optional(),
      })
        .refine(
          ({ http, tcp, udp }) =>
            [http, tcp, udp].filter((part) => part !== undefined).length === 1,
          {
            error: 'one of http, tcp and udp',
          },
        )
        .refine(
          ({ http, tls, proxyProtocol }) =>
            http !== undefined || (tls === undefined && proxyProtocol === 'off'),
          { error: 'tls and proxyProtocol with http only' },
        ),
    )
    .min(1, { error: 'at least one listener' }),
  upstreams: z.record(z.string(), object({ tls: upstreamTlsSchema.optional() })).default({}),
  timeouts: object({
    handshakeMs: limitMs(10_000),
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
  requestId: flag().default(false),
  accessLog: accessLogSchema.optional(),
});

/** @throws ConfigError naming every wrong option */
export function decodeProxyOptions(options: ProxyOptions): ProxyConfig {
  const checked = decode(schema, options, 'createProxy');
  const { listeners, upstreams, timeouts, limits, trustedProxies, via } = checked;
  const clusters = new Map(options.clusters.map((cluster) => [cluster.name, cluster]));
  const named = [
    ...listeners.flatMap((listener, at) =>
      layer4ClustersOf(listener).map(({ at: place, cluster }) => ({
        path: `createProxy.listeners[${at}].${place}`,
        name: cluster,
      })),
    ),
    ...listeners.flatMap(({ http }, at) =>
      (http?.routes ?? []).flatMap((route, index) =>
        clustersOf(route).map(({ at: place, cluster }) => ({
          path: `createProxy.listeners[${at}].http.routes[${index}].${place}`,
          name: cluster,
        })),
      ),
    ),
    ...Object.keys(upstreams).map((name) => ({ path: 'createProxy.upstreams', name })),
  ];
  const issues = named
    .filter(({ name }) => !clusters.has(name))
    .map(({ path, name }) => ({
      path,
      expected: `the name of one of the clusters (${[...clusters.keys()].join(', ')})`,
      actual: name,
    }));
  for (const [at, { proxyProtocol }] of listeners.entries()) {
    if (proxyProtocol === 'off' || trustedProxies.length > 0) continue;
    const path = `createProxy.listeners[${at}].proxyProtocol`;
    issues.push({ path, expected: 'trustedProxies, who alone are believed', actual: 'none' });
  }
  for (const [at, listener] of listeners.entries()) {
    for (const { at: place, cluster } of layer4ClustersOf(listener)) {
      if (upstreams[cluster]?.tls === undefined) continue;
      const path = `createProxy.listeners[${at}].${place}`;
      issues.push({ path, expected: 'a cluster that is reached without TLS', actual: cluster });
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return {
    clusters,
    listeners: listeners.map(({ listen, proxyProtocol, tls, http, tcp, udp }) => ({
      ...addressOf(listen),
      proxyProtocol: proxyProtocol === 'required',
      tls,
      tcp,
      udp,
      routes: http?.routes ?? [],
    })),
    upstreamTls: new Map(
      Object.entries(upstreams).flatMap(([name, { tls }]) =>
        tls === undefined ? [] : [[name, tls] as const],
      ),
    ),
    timeouts: { ...timeouts, requestMs: timeouts.requestMs },
    limits,
    trustedProxies,
    via,
    requestId: checked.requestId,
    accessLog: checked.accessLog,
  };
}

function addressOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = LISTEN.exec(listen) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
