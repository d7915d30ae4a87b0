/** Metrics of listeners that pass on bytes and datagrams. */
import { type Family, familiesOf } from './family.ts';

const tcp = familiesOf(({ proxy }) => proxy.stats.tcp);
const udp = familiesOf(({ proxy }) => proxy.stats.udp);

export const TCP_FAMILIES: readonly Family[] = [
  tcp('proxy_tcp_connections', 'Open connections of clients of TCP listeners.', {
    type: 'gauge',
    read: ({ activeCount }, emit) => emit(activeCount),
  }),
  tcp('proxy_tcp_connections_total', 'Connections that TCP listeners accepted.', {
    read: ({ counters }, emit) => emit(counters.acceptedCount),
  }),
  tcp('proxy_tcp_connections_refused_total', 'Connections closed at once, by whose limit.', {
    labels: ['limit'],
    read: ({ counters }, emit) => {
      emit(counters.refusedCount, 'listener');
      emit(counters.limitedCount, 'client');
    },
  }),
  tcp('proxy_tcp_failures_total', 'Connections that did not go on as they should, by why.', {
    labels: ['reason'],
    read: ({ counters }, emit) => {
      emit(counters.handshakeErrorCount - counters.handshakeTimeoutCount, 'handshake');
      emit(counters.handshakeTimeoutCount, 'handshake-timeout');
      emit(counters.malformedHelloCount, 'malformed-hello');
      emit(counters.helloTimeoutCount, 'hello-timeout');
      emit(counters.unroutedCount, 'no-route');
      emit(counters.unservedCount, 'no-endpoint');
      emit(counters.idleTimeoutCount, 'idle-timeout');
      emit(counters.clientResetCount, 'client-reset');
      emit(counters.endpointResetCount, 'endpoint-reset');
      emit(counters.cutOffCount, 'cut-off');
    },
  }),
  tcp('proxy_tcp_connects_total', 'Connections to endpoints that were begun.', {
    read: ({ counters }, emit) => emit(counters.connectCount),
  }),
  tcp('proxy_tcp_connect_failures_total', 'Connections to endpoints that did not come about.', {
    read: ({ counters }, emit) => emit(counters.connectFailureCount),
  }),
  tcp('proxy_tcp_retries_total', 'Tries to connect beyond the first.', {
    read: ({ counters }, emit) => emit(counters.retryCount),
  }),
  tcp('proxy_tcp_bytes_total', 'Bytes passed on, by who sent them.', {
    labels: ['from'],
    read: ({ counters }, emit) => {
      emit(counters.clientByteCount, 'client');
      emit(counters.endpointByteCount, 'endpoint');
    },
  }),
];

export const UDP_FAMILIES: readonly Family[] = [
  udp('proxy_udp_sessions', 'Sessions at this moment.', {
    type: 'gauge',
    read: ({ activeCount }, emit) => emit(activeCount),
  }),
  udp('proxy_udp_sessions_total', 'Sessions that were begun.', {
    read: ({ counters }, emit) => emit(counters.sessionCount),
  }),
  udp('proxy_udp_sessions_ended_total', 'Sessions that ended while the proxy runs, by why.', {
    labels: ['reason'],
    read: ({ counters }, emit) => {
      emit(counters.expiredSessionCount, 'expired');
      emit(counters.refusedSessionCount, 'refused');
      emit(counters.movedSessionCount, 'endpoint-down');
    },
  }),
  udp('proxy_udp_datagrams_total', 'Datagrams passed on, by who sent them.', {
    labels: ['from'],
    read: ({ counters }, emit) => {
      emit(counters.clientDatagramCount, 'client');
      emit(counters.endpointDatagramCount, 'endpoint');
    },
  }),
  udp('proxy_udp_bytes_total', 'Bytes of datagrams passed on, by who sent them.', {
    labels: ['from'],
    read: ({ counters }, emit) => {
      emit(counters.clientByteCount, 'client');
      emit(counters.endpointByteCount, 'endpoint');
    },
  }),
  udp('proxy_udp_drops_total', 'Datagrams that were dropped, by why.', {
    labels: ['reason'],
    read: ({ counters }, emit) => {
      emit(counters.sessionLimitDropCount, 'session-limit');
      emit(counters.unservedDropCount, 'no-endpoint');
      emit(counters.overflowDropCount, 'overflow');
    },
  }),
];
