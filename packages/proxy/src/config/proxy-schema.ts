/** How the options of a proxy are checked, field by field. */
import { durationMs, flag, integer, object, oneOf, text } from '@evenkeel/core/schema';
import { z } from 'zod';
import type { CidrSet } from '../address/cidr-set.ts';
import type { AddressLimitOptions } from '../listener/address-limits.ts';
import type { RequestLogOptions } from '../observability/access-log/request-log.ts';
import { type FilterConfig, filterListSchema } from '../filter/filter-list.ts';
import { accessLogSchema } from './access-log-options.ts';
import {
  type Http2Config,
  http2Schema,
  type UpstreamHttp2Config,
  upstreamHttp2Schema,
} from './http2-options.ts';
import { clientLimitSchema } from './client-limit-options.ts';
import { LISTEN } from './listen-address.ts';
import { networksSchema } from './networks.ts';
import type { ProxyLimits, ProxyTimeouts } from './options.ts';
import { type RouteConfig, routeSchema } from './route-schema.ts';
import { type TcpConfig, tcpSchema, type UdpConfig, udpSchema } from './tcp-options.ts';
import {
  type TlsConfig,
  tlsSchema,
  type UpstreamTlsConfig,
  upstreamTlsSchema,
} from './tls-options.ts';
import { type TracingConfig, tracingSchema } from './tracing-options.ts';

/** How the endpoints of a cluster are reached. */
export interface CheckedUpstream {
  readonly tls?: UpstreamTlsConfig | undefined;
  readonly http2: UpstreamHttp2Config | false;
  readonly warmConnections: number;
  readonly sendProxyProtocol?: 'v1' | 'v2' | undefined;
}

/** Checked options, but for what they name and what they are together. */
export interface CheckedOptions {
  readonly listeners: readonly CheckedListener[];
  readonly upstreams: Readonly<Record<string, CheckedUpstream>>;
  readonly timeouts: Omit<ProxyTimeouts, 'requestMs'> & { readonly requestMs?: number | undefined };
  readonly limits: ProxyLimits;
  readonly trustedProxies?: CidrSet | undefined;
  readonly via: string | false;
  readonly requestId: boolean;
  readonly accessLog?: RequestLogOptions | undefined;
  readonly tracing?: TracingConfig | undefined;
  readonly serverTiming: boolean;
}

export interface CheckedListener {
  readonly listen: string;
  readonly proxyProtocol: 'off' | 'required';
  readonly perClient?: AddressLimitOptions | undefined;
  readonly tls?: TlsConfig | undefined;
  readonly http?:
    | {
        readonly clearText: 'refuse' | 'serve' | 'redirect';
        readonly routes: readonly RouteConfig[];
        readonly filters: readonly FilterConfig[];
        readonly http2: Http2Config | false;
      }
    | undefined;
  readonly tcp?: TcpConfig | undefined;
  readonly udp?: UdpConfig | undefined;
}

const DAY_MS = 86_400_000;
const limitMs = (defaultMs: number): z.ZodDefault<z.ZodNumber> =>
  durationMs({ min: 1, max: DAY_MS }).default(defaultMs);
const count = (max: number, byDefault: number): z.ZodDefault<z.ZodNumber> =>
  integer({ min: 1, max }).default(byDefault);

const LISTEN_ERROR = 'an address and a port, 127.0.0.1:8080';

const listenerSchema = object({
  listen: z
    .string({ error: LISTEN_ERROR })
    .regex(LISTEN, { error: LISTEN_ERROR, abort: true })
    .refine((listen) => Number(LISTEN.exec(listen)?.[2]) <= 65_535, { error: LISTEN_ERROR })
    .describe('Address and port; port 0 for any free one.'),
  proxyProtocol: oneOf(['off', 'required'])
    .default('off')
    .describe(
      'Does every connection begin with a header of the PROXY protocol? Only from `trustedProxies`.',
    ),
  perClient: clientLimitSchema.optional().describe('What one client may have. Left out: anything.'),
  tls: tlsSchema.optional().describe('Left out: clear text.'),
  http: object({
    routes: z.array(routeSchema).describe('The most specific one that fits a request has it.'),
    filters: filterListSchema
      .default([])
      .describe('Filters of all routes, in the order in which requests meet them.'),
    clearText: oneOf(['refuse', 'serve', 'redirect'])
      .default('refuse')
      .describe('Where there is `tls`: requests in clear text on the same port.'),
    http2: http2Schema.describe('May clients speak HTTP/2? `false`, or limits.'),
  })
    .optional()
    .describe('Requests are read and routed.'),
  tcp: tcpSchema.optional().describe('Connections are passed on as they are.'),
  udp: udpSchema.optional().describe('Datagrams are passed on as they are.'),
})
  .refine(
    ({ http, tcp, udp, tls }) =>
      [http, tcp, udp].filter((part) => part !== undefined).length === 1 ||
      (http !== undefined && tcp !== undefined && udp === undefined && tls !== undefined),
    { error: 'one of http, tcp and udp, or http with tls and tcp' },
  )
  .refine(({ http, tcp }) => http === undefined || tcp === undefined || tcp.cluster === undefined, {
    error: 'nothing beside http: what tcp.sni does not name ends here',
    path: ['tcp', 'cluster'],
  })
  .refine(({ http, tls }) => (http?.clearText ?? 'refuse') === 'refuse' || tls !== undefined, {
    error: 'nothing, where there is no tls',
    path: ['http', 'clearText'],
  })
  .refine(({ udp, perClient }) => udp === undefined || perClient === undefined, {
    error: 'nothing for udp, which has maxSessions',
    path: ['perClient'],
  })
  .refine(
    ({ udp, tls, proxyProtocol }) =>
      udp === undefined || (tls === undefined && proxyProtocol === 'off'),
    { error: 'tls and proxyProtocol with http and tcp only' },
  )
  .refine(
    ({ http, tcp, tls }) => http !== undefined || tcp?.sni === undefined || tls === undefined,
    {
      error: 'tls or tcp.sni: what is decrypted cannot be passed through',
    },
  );

const timeoutsSchema = object({
  handshakeMs: limitMs(10_000).describe(
    'For all that a client does before its first request: PROXY protocol and TLS handshake.',
  ),
  headMs: limitMs(10_000).describe(
    'For the head of a request, from its first byte, or from accepting the connection.',
  ),
  keepAliveMs: limitMs(60_000).describe('For a connection without a request.'),
  bodyIdleMs: limitMs(30_000).describe('Longest silence within a body.'),
  bodyGraceMs: limitMs(5_000).describe(
    'How long a body may be slower than `limits.minBodyBytesPerSecond`, at its beginning.',
  ),
  connectMs: limitMs(3_000).describe(
    'To connect to an endpoint, and to wait for a free connection.',
  ),
  responseHeadMs: limitMs(30_000).describe(
    'From the end of a request to the head of its response.',
  ),
  requestMs: durationMs({ min: 1, max: DAY_MS })
    .optional()
    .describe('For a request with all its tries, to the last byte. Left out: none.'),
  sendStallMs: limitMs(30_000).describe(
    'Longest time in which a client takes nothing of a response.',
  ),
  upstreamIdleMs: limitMs(15_000).describe('For an idle connection to an endpoint.'),
  tunnelIdleMs: limitMs(3_600_000).describe('Longest silence in a tunnel (WebSocket).'),
});

const limitsSchema = object({
  maxHeadBytes: integer({ min: 256, max: 1_048_576 })
    .default(16_384)
    .describe('Bytes of a message head.'),
  maxFields: count(1_000, 100).describe('Field lines of a message.'),
  maxTargetBytes: integer({ min: 16, max: 65_536 })
    .default(8_192)
    .describe('Bytes of a request target.'),
  maxBodyBytes: integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    .optional()
    .describe('Bytes of the body of a request, for routes without a limit of their own.'),
  minBodyBytesPerSecond: integer({ min: 0, max: 1_000_000_000 })
    .default(0)
    .describe('Bodies of requests that come slower on the average are refused with 408.'),
  maxPasses: count(100, 8).describe(
    'How often a request may come through proxies of the name in `via`; after that it gets 508.',
  ),
  maxClients: count(1_000_000, 100_000).describe('Connections of clients, per listener.'),
  maxConnectionsPerEndpoint: count(65_535, 1_024).describe('Connections per endpoint.'),
  maxPendingPerEndpoint: integer({ min: 0, max: 1_000_000 })
    .default(1_024)
    .describe('Requests per endpoint that wait for a connection.'),
});

const sharedShape = {
  listeners: z
    .array(listenerSchema)
    .min(1, { error: 'at least one listener' })
    .describe('Where clients connect, and what becomes of their requests.'),
  upstreams: z
    .record(
      z.string(),
      object({
        tls: upstreamTlsSchema.optional().describe('Left out: clear text.'),
        http2: upstreamHttp2Schema.describe('HTTP/2 for requests: true, `auto`, or limits.'),
        warmConnections: integer({ min: 0, max: 1_024 })
          .default(0)
          .describe('Connections that each endpoint is given before there are requests.'),
        sendProxyProtocol: oneOf(['v1', 'v2'])
          .optional()
          .describe(
            'Every connection begins with a header that tells whose it is; for `tcp` only. Left out: none.',
          ),
      }),
    )
    .default({})
    .describe('How endpoints are reached, by the name of their cluster.'),
  timeouts: timeoutsSchema.prefault({}).describe('Time limits.'),
  limits: limitsSchema.prefault({}).describe('Sizes and numbers.'),
  trustedProxies: networksSchema
    .optional()
    .describe(
      'Peers whose word about their clients is taken: addresses and networks, `10.0.0.0/8`. Left out: nobody.',
    ),
  via: z
    .union([z.literal(false), text(128).regex(/^[\w!#$%&'*+.^`|~-]+$/)], {
      error: 'a name without spaces, or false',
    })
    .default('evenkeel')
    .describe('Name of this proxy in `via`, or false for no such field.'),
  requestId: flag().default(false).describe('Gives every request an id in `x-request-id`.'),
  accessLog: accessLogSchema.optional().describe('A line for each request. Left out: none.'),
  tracing: tracingSchema
    .optional()
    .describe('Requests are part of traces, which endpoints are told of. Left out: they are not.'),
  serverTiming: flag()
    .default(false)
    .describe('Tells clients in `server-timing` how long a request took here and at its endpoint.'),
};

/**
 * All that code and files have in common.
 *
 * @param clusters what stands there, which is not the same in both
 * @param further what else there may be
 */
export function proxySchemaWith(
  clusters: z.ZodType,
  further: Readonly<Record<string, z.ZodType>> = {},
): z.ZodType<CheckedOptions> {
  return object({ clusters, ...sharedShape, ...further });
}
