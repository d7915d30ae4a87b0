/** The metrics of proxies, but for the histogram: what each is called and where its values are. */
import type { ProxyCounters } from '../../engine/counters.ts';
import { type Family, familiesOf } from './family.ts';
import { HTTP2_FAMILIES } from './http2-families.ts';
import type { RouteSeries } from './route-series.ts';
import { STATE_FAMILIES } from './state-families.ts';
import { TCP_FAMILIES, UDP_FAMILIES } from './tcp-families.ts';

const ROUTE = ['route', 'cluster'] as const;

const ofStats = familiesOf(({ stats }) => stats);
const ofCounters = familiesOf(({ stats }) => stats.counters);

const HTTP_FAMILIES: readonly Family[] = [
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
  ofCounters(
    'proxy_refusals_total',
    'Requests answered here because something was wrong, by why.',
    {
      labels: ['reason'],
      read: ({ refusals }, emit) => {
        for (const [reason, count] of Object.entries(refusals)) emit(count, reason);
      },
    },
  ),
  ofCounters(
    'proxy_filter_answers_total',
    'Requests that filters answered, by their word for it.',
    {
      labels: ['reason'],
      read: ({ filterAnswers }, emit) => {
        for (const [reason, count] of filterAnswers) emit(count, reason);
      },
    },
  ),
  ofStats('proxy_client_connections', 'Open connections of clients.', {
    type: 'gauge',
    read: ({ clientCount }, emit) => emit(clientCount),
  }),
  ofStats('proxy_upstream_connections', 'Open connections to endpoints, by cluster and state.', {
    type: 'gauge',
    labels: ['cluster', 'state'],
    read: ({ upstreams }, emit) => {
      for (const { cluster, connectionCount, idleCount } of upstreams) {
        emit(idleCount, cluster, 'idle');
        emit(connectionCount - idleCount, cluster, 'busy');
      }
    },
  }),
  ofCounters('proxy_tls_handshakes_total', 'TLS handshakes with clients, by the result.', {
    labels: ['result'],
    read: (counters, emit) => {
      const { handshakeCount, resumedHandshakeCount, handshakeErrorCount } = counters;
      emit(handshakeCount - resumedHandshakeCount, 'full');
      emit(resumedHandshakeCount, 'resumed');
      emit(handshakeErrorCount - counters.handshakeTimeoutCount, 'failed');
      emit(counters.handshakeTimeoutCount, 'timeout');
    },
  }),
  total('proxy_client_connections_total', 'Connections of clients that were accepted.', {
    read: ({ acceptedCount }) => acceptedCount,
  }),
  ofCounters(
    'proxy_client_connections_refused_total',
    'Connections closed at once, by whose limit.',
    {
      labels: ['limit'],
      read: ({ refusedCount, limitedCount }, emit) => {
        emit(refusedCount, 'listener');
        emit(limitedCount, 'client');
      },
    },
  ),
  ofCounters('proxy_hedges_total', 'Further endpoints asked because one took long, by result.', {
    labels: ['result'],
    read: ({ hedgeCount, hedgeWinCount }, emit) => {
      emit(hedgeWinCount, 'won');
      emit(hedgeCount - hedgeWinCount, 'lost');
    },
  }),
  total('proxy_failovers_total', 'Requests that another cluster was asked instead of theirs.', {
    read: ({ failoverCount }) => failoverCount,
  }),
  ofCounters('proxy_mirrored_requests_total', 'Copies of requests, sent and given up.', {
    labels: ['result'],
    read: ({ mirrorCount, mirrorDropCount }, emit) => {
      emit(mirrorCount, 'sent');
      emit(mirrorDropCount, 'dropped');
    },
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
  ofStats('proxy_access_log_dropped_total', 'Lines of the access log that were given up.', {
    read: ({ droppedLogLineCount }, emit) => emit(droppedLogLineCount),
  }),
];

export const FAMILIES: readonly Family[] = [
  ...HTTP_FAMILIES,
  ...HTTP2_FAMILIES,
  ...TCP_FAMILIES,
  ...UDP_FAMILIES,
  ...STATE_FAMILIES,
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
  return ofCounters(name, help, { read: (counters, emit) => emit(read(counters)) });
}
