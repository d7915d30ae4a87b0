/** The metrics of proxies, but for the histogram: what each is called and where its values are. */
import type { ProxyCounters } from '../../engine/counters.ts';
import type { ProxyStats } from '../proxy-stats.ts';
import { HTTP2_FAMILIES } from './http2-families.ts';
import type { RouteSeries } from './route-series.ts';

/** All proxies at the moment of a scrape. */
export interface ProxyReading {
  readonly stats: readonly ProxyStats[];
  readonly series: readonly RouteSeries[];
}

/** Takes one value; the label values stand in the order of {@link Family.labels}. Values of equal labels add up. */
export type Emit = (value: number, ...labelValues: readonly string[]) => void;

export interface Family {
  /** Without the prefix. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (reading: ProxyReading, emit: Emit) => void;
}

const ROUTE = ['route', 'cluster'] as const;

export const FAMILIES: readonly Family[] = [
  {
    name: 'proxy_requests_total',
    type: 'counter',
    help: 'Requests that have ended, by route, cluster and class of status; none: no response was sent.',
    labels: [...ROUTE, 'code'],
    read: ({ series }, emit) => {
      for (const { route, cluster, statusCounts } of series)
        statusCounts.forEach((count, hundreds) => {
          if (count > 0) emit(count, route, cluster, hundreds === 0 ? 'none' : `${hundreds}xx`);
        });
    },
  },
  perRoute('proxy_requests_active', 'Requests under way.', {
    type: 'gauge',
    read: ({ activeCount }) => activeCount,
  }),
  perRoute('proxy_retries_total', 'Tries beyond the first.', {
    type: 'counter',
    read: ({ retryCount }) => retryCount,
  }),
  perRoute('proxy_received_bytes_total', 'Bytes of requests, heads included, that came in.', {
    type: 'counter',
    read: ({ bytesIn }) => bytesIn,
  }),
  perRoute('proxy_sent_bytes_total', 'Bytes of responses, heads included, that went out.', {
    type: 'counter',
    read: ({ bytesOut }) => bytesOut,
  }),
  {
    name: 'proxy_refusals_total',
    type: 'counter',
    help: 'Requests that were answered by the proxy because something was wrong, by the reason.',
    labels: ['reason'],
    read: ({ stats }, emit) => {
      for (const { counters } of stats)
        for (const [reason, count] of Object.entries(counters.refusals)) emit(count, reason);
    },
  },
  {
    name: 'proxy_client_connections',
    type: 'gauge',
    help: 'Open connections of clients.',
    labels: [],
    read: ({ stats }, emit) => {
      for (const { clientCount } of stats) emit(clientCount);
    },
  },
  {
    name: 'proxy_upstream_connections',
    type: 'gauge',
    help: 'Open connections to endpoints, by cluster and whether they wait for a request.',
    labels: ['cluster', 'state'],
    read: ({ stats }, emit) => {
      for (const { upstreams } of stats)
        for (const { cluster, connectionCount, idleCount } of upstreams) {
          emit(idleCount, cluster, 'idle');
          emit(connectionCount - idleCount, cluster, 'busy');
        }
    },
  },
  {
    name: 'proxy_tls_handshakes_total',
    type: 'counter',
    help: 'TLS handshakes with clients, by the result.',
    labels: ['result'],
    read: ({ stats }, emit) => {
      for (const { counters } of stats) {
        const { handshakeCount, resumedHandshakeCount, handshakeErrorCount } = counters;
        emit(handshakeCount - resumedHandshakeCount, 'full');
        emit(resumedHandshakeCount, 'resumed');
        emit(handshakeErrorCount, 'failed');
      }
    },
  },
  total('proxy_client_connections_total', 'Connections of clients that were accepted.', {
    read: ({ acceptedCount }) => acceptedCount,
  }),
  total('proxy_client_connections_refused_total', 'Connections of clients beyond the limit.', {
    read: ({ refusedCount }) => refusedCount,
  }),
  total('proxy_upstream_connects_total', 'Connections to endpoints that were begun.', {
    read: ({ connectCount }) => connectCount,
  }),
  total('proxy_upstream_reuses_total', 'Requests that got a connection that was there.', {
    read: ({ reuseCount }) => reuseCount,
  }),
  total('proxy_bad_requests_total', 'Requests that broke a rule or did not come in time.', {
    read: ({ badRequestCount }) => badRequestCount,
  }),
  total('proxy_bad_responses_total', 'Responses of endpoints that broke a rule.', {
    read: ({ badResponseCount }) => badResponseCount,
  }),
  total('proxy_truncated_responses_total', 'Responses that were cut off on their way.', {
    read: ({ truncatedCount }) => truncatedCount,
  }),
  total('proxy_client_aborts_total', 'Clients that left during their request.', {
    read: ({ clientAbortCount }) => clientAbortCount,
  }),
  total('proxy_tunnels_total', 'Connections that switched protocols.', {
    read: ({ tunnelCount }) => tunnelCount,
  }),
  ...HTTP2_FAMILIES,
  {
    name: 'proxy_access_log_dropped_total',
    type: 'counter',
    help: 'Lines of the access log that were given up.',
    labels: [],
    read: ({ stats }, emit) => {
      for (const { droppedLogLineCount } of stats) emit(droppedLogLineCount);
    },
  },
];

function perRoute(
  name: string,
  help: string,
  { type, read }: { type: Family['type']; read: (series: RouteSeries) => number },
): Family {
  return {
    name,
    type,
    help,
    labels: ROUTE,
    read: ({ series }, emit) => {
      for (const one of series) emit(read(one), one.route, one.cluster);
    },
  };
}

function total(
  name: string,
  help: string,
  { read }: { read: (counters: Readonly<ProxyCounters>) => number },
): Family {
  return {
    name,
    type: 'counter',
    help,
    labels: [],
    read: ({ stats }, emit) => {
      for (const { counters } of stats) emit(read(counters));
    },
  };
}
