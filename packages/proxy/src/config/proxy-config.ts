/** The options of a proxy, checked. */
import { type Cluster, ConfigError, type ConfigIssue } from '@evenkeel/core';
import { decode, joinPath } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { CidrSet } from '../address/cidr-set.ts';
import { clustersOfFilters, type FilterConfig } from '../filter/filter-list.ts';
import type { AddressLimitOptions } from '../listener/address-limits.ts';
import type { RequestLogOptions } from '../observability/access-log/request-log.ts';
import type { ProxyProtocolVersion } from '../proxy-protocol/write-header.ts';
import type { Http2Config, UpstreamHttp2Config } from './http2-options.ts';
import type { ProxyLimits, ProxyOptions, ProxyTimeouts } from './options.ts';
import { LISTEN } from './listen-address.ts';
import { type CheckedOptions, proxySchemaWith } from './proxy-schema.ts';
import { clustersOf, type RouteConfig } from './route-schema.ts';
import { layer4ClustersOf, type TcpConfig, type UdpConfig } from './tcp-options.ts';
import type { TlsConfig, UpstreamTlsConfig } from './tls-options.ts';
import type { TracingConfig } from './tracing-options.ts';

export interface ProxyConfig {
  /** As they were written: what tells one configuration from the next. */
  readonly options: ProxyOptions;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly listeners: readonly ListenerConfig[];
  /** TLS to endpoints, by the name of their cluster. */
  readonly upstreamTls: ReadonlyMap<string, UpstreamTlsConfig>;
  /** Clusters whose endpoints are spoken to in HTTP/2. */
  readonly upstreamHttp2: ReadonlyMap<string, UpstreamHttp2Config>;
  /** Connections that each endpoint has before there are requests, by the name of the cluster. */
  readonly warmConnections: ReadonlyMap<string, number>;
  /** Whether endpoints are told whose a connection is, by the name of their cluster. */
  readonly upstreamProxyProtocol: ReadonlyMap<string, ProxyProtocolVersion>;
  readonly timeouts: ProxyTimeouts;
  readonly limits: ProxyLimits;
  /** Undefined for nobody. */
  readonly trustedProxies: CidrSet | undefined;
  readonly via: string | false;
  readonly requestId: boolean;
  readonly accessLog: RequestLogOptions | undefined;
  /** Undefined where requests have no traces. */
  readonly tracing: TracingConfig | undefined;
  readonly serverTiming: boolean;
}

export interface ListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly proxyProtocol: boolean;
  readonly kind: 'http' | 'tcp' | 'udp';
  /** What one client may have; undefined for anything. */
  readonly perClient: AddressLimitOptions | undefined;
  readonly tls: TlsConfig | undefined;
  /** What becomes of requests in clear text where there is TLS. */
  readonly clearText: 'refuse' | 'serve' | 'redirect';
  /** Beside `http`: TLS that is passed through. Undefined for `udp`. */
  readonly tcp: TcpConfig | undefined;
  readonly udp: UdpConfig | undefined;
  /** Undefined where HTTP/1.1 alone is spoken. */
  readonly http2: Http2Config | undefined;
  /** Of all routes. */
  readonly filters: readonly FilterConfig[];
  readonly routes: readonly RouteConfig[];
}

const codeSchema = proxySchemaWith(z.array(z.unknown()));

/**
 * @param path what the options are called in errors
 * @throws ConfigError naming every wrong option
 */
export function decodeProxyOptions(options: ProxyOptions, path = 'createProxy'): ProxyConfig {
  const checked = decode(codeSchema, options, path);
  const { upstreams, timeouts } = checked;
  const clusters = new Map(options.clusters.map((cluster) => [cluster.name, cluster]));
  const issues = [
    ...unknownClusters(checked, clusters),
    ...wrongTogether(checked),
    ...takenAddresses(checked),
    ...unknownSkips(checked),
  ];
  if (issues.length > 0)
    throw new ConfigError(
      issues.map(({ at, ...issue }) => ({ ...issue, path: joinPath(path, at) })),
    );
  return {
    options,
    clusters,
    listeners: checked.listeners.map(
      ({ listen, proxyProtocol, perClient, tls, http, tcp, udp }) => ({
        ...addressOf(listen),
        kind: http !== undefined ? 'http' : tcp !== undefined ? 'tcp' : 'udp',
        proxyProtocol: proxyProtocol === 'required',
        perClient,
        clearText: http?.clearText ?? 'refuse',
        tls: tls && { ...tls, speaksHttp2: http !== undefined && http.http2 !== false },
        tcp,
        udp,
        http2: http === undefined || http.http2 === false ? undefined : http.http2,
        filters: http?.filters ?? [],
        routes: http?.routes ?? [],
      }),
    ),
    upstreamTls: new Map(
      Object.entries(upstreams).flatMap(([name, { tls }]) =>
        tls === undefined ? [] : [[name, tls] as const],
      ),
    ),
    upstreamHttp2: new Map(
      Object.entries(upstreams).flatMap(([name, { http2 }]) =>
        http2 === false ? [] : [[name, http2] as const],
      ),
    ),
    warmConnections: new Map(
      Object.entries(upstreams).map(([name, { warmConnections }]) => [name, warmConnections]),
    ),
    upstreamProxyProtocol: new Map(
      Object.entries(upstreams).flatMap(([name, { sendProxyProtocol }]) =>
        sendProxyProtocol === undefined ? [] : [[name, sendProxyProtocol] as const],
      ),
    ),
    timeouts: { ...timeouts, requestMs: timeouts.requestMs },
    limits: checked.limits,
    trustedProxies: checked.trustedProxies,
    via: checked.via,
    requestId: checked.requestId,
    accessLog: checked.accessLog,
    tracing: checked.tracing,
    serverTiming: checked.serverTiming,
  };
}

interface Issue extends Omit<ConfigIssue, 'path'> {
  readonly at: readonly PropertyKey[];
}

function unknownClusters(
  { listeners, upstreams }: CheckedOptions,
  clusters: ReadonlyMap<string, Cluster>,
): Issue[] {
  const named = [
    ...listeners.flatMap((listener, at) =>
      layer4ClustersOf(listener).map(({ at: place, cluster }) => ({
        at: ['listeners', at, place],
        cluster,
      })),
    ),
    ...listeners.flatMap(({ http }, at) =>
      (http?.routes ?? []).flatMap((route, index) =>
        clustersOf(route).map(({ at: place, cluster }) => ({
          at: ['listeners', at, 'http', 'routes', index, place],
          cluster,
        })),
      ),
    ),
    ...listeners.flatMap(({ http }, at) => [
      ...clustersOfFilters(http?.filters ?? []).map(({ at: place, cluster }) => ({
        at: ['listeners', at, 'http', 'filters', ...place],
        cluster,
      })),
      ...(http?.routes ?? []).flatMap(({ filters }, index) =>
        clustersOfFilters(filters).map(({ at: place, cluster }) => ({
          at: ['listeners', at, 'http', 'routes', index, 'filters', ...place],
          cluster,
        })),
      ),
    ]),
    ...Object.keys(upstreams).map((cluster) => ({ at: ['upstreams'], cluster })),
  ];
  const expected = `the name of one of the clusters (${[...clusters.keys()].join(', ')})`;
  return named
    .filter(({ cluster }) => !clusters.has(cluster))
    .map(({ at, cluster }) => ({ at, expected, actual: cluster }));
}

/** What each is right by itself. */
function wrongTogether({ listeners, upstreams, trustedProxies }: CheckedOptions): Issue[] {
  return listeners.flatMap(({ proxyProtocol, http }, at): Issue[] => [
    ...(proxyProtocol === 'off' || trustedProxies !== undefined
      ? []
      : [
          {
            at: ['listeners', at, 'proxyProtocol'],
            expected: 'trustedProxies, who alone are believed',
            actual: 'none',
          },
        ]),
    ...(http?.routes ?? [])
      .flatMap((route, index) =>
        clustersOf(route).map(({ at: place, cluster }) => ({
          at: ['listeners', at, 'http', 'routes', index, place],
          cluster,
        })),
      )
      .filter(({ cluster }) => upstreams[cluster]?.sendProxyProtocol !== undefined)
      .map(({ at: place, cluster }) => ({
        at: place,
        expected: 'a cluster without sendProxyProtocol, because requests share connections',
        actual: cluster,
      })),
  ]);
}

/** Two listeners cannot have one port, unless one is for datagrams and the other is not; any free port is never taken. */
function takenAddresses({ listeners }: CheckedOptions): Issue[] {
  const taken = new Set<string>();
  return listeners.flatMap(({ listen, udp }, at): Issue[] => {
    const { host, port } = addressOf(listen);
    const key = `${udp === undefined ? 'tcp' : 'udp'} ${host} ${port}`;
    if (port === 0 || !taken.has(key)) {
      taken.add(key);
      return [];
    }
    const expected = 'an address that no listener before it has';
    return [{ at: ['listeners', at, 'listen'], expected, actual: listen }];
  });
}

/** A route can do without those filters only that its listener has. */
function unknownSkips({ listeners }: CheckedOptions): Issue[] {
  return listeners.flatMap(({ http }, at) => {
    const names = (http?.filters ?? []).map(({ name }) => name);
    const expected = `the name of a filter of the listener (${names.join(', ')})`;
    return (http?.routes ?? []).flatMap(({ skipFilters }, route) =>
      skipFilters
        .map((actual, index) => ({
          at: ['listeners', at, 'http', 'routes', route, 'skipFilters', index],
          expected,
          actual,
        }))
        .filter(({ actual }) => !names.includes(actual)),
    );
  });
}

function addressOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = LISTEN.exec(listen) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
