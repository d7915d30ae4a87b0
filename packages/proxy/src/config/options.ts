/** The options of a proxy, as users write them. What they mean once they are checked: `proxy-config.ts`. */
import type { Cluster } from '@evenkeel/core';
import type { FilterOptions } from '../filter/filter-list.ts';
import type { AccessLogOptions } from './access-log-options.ts';
import type { Http2Options, UpstreamHttp2Options } from './http2-options.ts';
import type { ClientLimitOptions } from './client-limit-options.ts';
import type { RouteOptions } from './route-options.ts';
import type { TcpOptions, UdpOptions } from './tcp-options.ts';
import type { TlsOptions, UpstreamTlsOptions } from './tls-options.ts';
import type { TracingOptions } from './tracing-options.ts';

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
  /**
   * Requests are part of traces (W3C Trace Context), which endpoints are told of in `traceparent`. Default none: the field
   * passes like any other.
   */
  readonly tracing?: TracingOptions | undefined;
  /**
   * Tells clients in `server-timing` how many milliseconds went by here (`proxy`) and at the endpoint (`upstream`), from
   * the head of the request to that of the response. Default false.
   */
  readonly serverTiming?: boolean | undefined;
}

/** One of `http`, `tcp` and `udp`; or `http` with `tls`, and `tcp` with `sni` for names whose TLS is passed through. */
export interface ListenerOptions {
  /** `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:80`; port 0 for any free one. */
  readonly listen: string;
  /**
   * Does every connection begin with a header of the PROXY protocol, version 1 or 2, that tells whose it is? Only from
   * peers in `trustedProxies`, who must send one then; all others are turned away. Default `off`.
   */
  readonly proxyProtocol?: 'off' | 'required' | undefined;
  /** What one client may have. Default anything. */
  readonly perClient?: ClientLimitOptions | undefined;
  /** Default clear text. */
  readonly tls?: TlsOptions | undefined;
  readonly http?: HttpOptions | undefined;
  /** Connections are passed on as they are, or decrypted where there is `tls`. */
  readonly tcp?: TcpOptions | undefined;
  /** Datagrams are passed on as they are; without `tls` and `proxyProtocol`, too. */
  readonly udp?: UdpOptions | undefined;
}

export interface UpstreamOptions {
  readonly tls?: UpstreamTlsOptions | undefined;
  /**
   * HTTP/2 for requests: true by ALPN with TLS and from the first byte in clear text, 'auto' where ALPN says so. Default
   * false: HTTP/1.1.
   */
  readonly http2?: boolean | 'auto' | UpstreamHttp2Options | undefined;
  /**
   * Connections that each endpoint is given before there are requests, so that the first ones do not wait for handshakes.
   * Endpoints that are not well have none. 0..1,024, default 0.
   */
  readonly warmConnections?: number | undefined;
  /**
   * Connections begin with a header of the PROXY protocol that tells whose they are, before TLS. For listeners of `tcp`;
   * requests have `x-forwarded-for` for that, because they share connections. Default none.
   */
  readonly sendProxyProtocol?: 'v1' | 'v2' | undefined;
}

export interface HttpOptions {
  readonly routes: readonly RouteOptions[];
  /** Of all routes, in the order in which requests meet them. Default none. */
  readonly filters?: readonly FilterOptions[] | undefined;
  /**
   * Where the listener has `tls`: what becomes of requests that come in clear text on the same port. `redirect` answers all
   * of them with 308 to https, on the default port. Default `refuse`.
   */
  readonly clearText?: 'refuse' | 'serve' | 'redirect' | undefined;
  /**
   * May clients speak HTTP/2: with TLS by ALPN, in clear text from the first byte (prior knowledge)? `false`, or limits.
   * Default true.
   */
  readonly http2?: boolean | Http2Options | undefined;
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
  /** How long a body of a request may be slower than `limits.minBodyBytesPerSecond`, at its beginning. Default 5,000. */
  readonly bodyGraceMs: number;
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
  /** Bytes of the body of a request, framing not counted, for routes without a limit of their own. Default none. */
  readonly maxBodyBytes?: number | undefined;
  /**
   * Bodies of requests that come slower, on the average since their beginning, are refused with 408: whoever sends a byte
   * now and then would hold a connection for ever. Time in which the proxy itself does not read does not count. Streams
   * that may be silent for long need 0. 0..1,000,000,000, default 0: none.
   */
  readonly minBodyBytesPerSecond: number;
  /**
   * How often a request may come through proxies of the name in `via`: one that has been there so often already goes in
   * circles, and gets 508. 1..100, default 8; without a `via` nobody counts.
   */
  readonly maxPasses: number;
  /** Connections of clients, per listener. 1..1,000,000, default 100,000. */
  readonly maxClients: number;
  /** Connections per endpoint. 1..65,535, default 1,024. */
  readonly maxConnectionsPerEndpoint: number;
  /** Requests per endpoint that wait for a connection. 0..1,000,000, default 1,024. */
  readonly maxPendingPerEndpoint: number;
}
