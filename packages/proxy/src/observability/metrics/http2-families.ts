/** What is counted of HTTP/2, on both sides. Its requests are in the metrics of routes, like all others. */
import type { Http2Counters } from '../../engine/counters.ts';
import { type Family, familiesOf } from './family.ts';

const ofHttp2 = familiesOf(({ stats }) => stats.counters.http2);

export const HTTP2_FAMILIES: readonly Family[] = [
  bySide('proxy_http2_connections', 'Open connections of HTTP/2, by the side of the proxy.', {
    type: 'gauge',
    read: ({ openSessionCount, openUpstreamSessionCount }) => [
      openSessionCount,
      openUpstreamSessionCount,
    ],
  }),
  bySide('proxy_http2_connections_total', 'Connections of HTTP/2, by the side of the proxy.', {
    type: 'counter',
    read: ({ sessionCount, upstreamSessionCount }) => [sessionCount, upstreamSessionCount],
  }),
  bySide('proxy_http2_streams', 'Open streams of HTTP/2, by the side of the proxy.', {
    type: 'gauge',
    read: ({ openStreamCount, openUpstreamStreamCount }) => [
      openStreamCount,
      openUpstreamStreamCount,
    ],
  }),
  bySide('proxy_http2_streams_total', 'Streams of HTTP/2, by the side of the proxy.', {
    type: 'counter',
    read: ({ streamCount, upstreamStreamCount }) => [streamCount, upstreamStreamCount],
  }),
  bySide(
    'proxy_http2_streams_broken_total',
    'Streams of clients that were broken off, by either end, and those that endpoints did not take.',
    {
      type: 'counter',
      read: ({ resetStreamCount, refusedUpstreamStreamCount }) => [
        resetStreamCount,
        refusedUpstreamStreamCount,
      ],
    },
  ),
];

interface Reading {
  readonly type: Family['type'];
  /** @returns of clients, and of endpoints */
  readonly read: (counters: Readonly<Http2Counters>) => readonly [number, number];
}

function bySide(name: string, help: string, { type, read }: Reading): Family {
  return ofHttp2(name, help, {
    type,
    labels: ['side'],
    read: (counters, emit) => {
      const [downstream, upstream] = read(counters);
      emit(downstream, 'downstream');
      emit(upstream, 'upstream');
    },
  });
}
