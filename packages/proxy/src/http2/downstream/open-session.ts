import type { Http2Config } from '../../config/http2-options.ts';
import type { EngineHost } from '../../engine/host.ts';
import type { Http2Session, Http2SessionOwner } from '../http2-stream.ts';
import { createHttp2Session } from '../session/session.ts';

/** RFC 9113 section 6.5.2 counts so many bytes more for each field. */
const FIELD_OVERHEAD = 32;

/** Pseudo-fields, and the pairs of a cookie, which may come one by one. */
const MORE_FIELDS = 36;

/** A burst of resets, in seconds of the rate that is allowed. */
const BURST_SECONDS = 5;

/** A session with a client, as strict as the proxy is with clients of HTTP/1.1. */
export function openClientSession(
  { runtime, sweeper, timeouts, requestHead }: EngineHost,
  config: Http2Config,
  owner: Http2SessionOwner,
): Http2Session {
  const { maxFields, maxHeadBytes } = requestHead.limits;
  const { maxResetsPerSecond, maxConcurrentStreams, streamWindowBytes, connectionWindowBytes } =
    config;
  return createHttp2Session(owner, {
    role: 'server',
    runtime,
    sweeper,
    limits: {
      maxConcurrentStreams,
      streamWindowBytes,
      connectionWindowBytes,
      maxFields: maxFields + MORE_FIELDS,
      maxHeaderListBytes: maxHeadBytes + FIELD_OVERHEAD * maxFields,
      maxHeaderBlockBytes: 2 * maxHeadBytes,
      takesConnectProtocol: true,
      resets: { burst: BURST_SECONDS * maxResetsPerSecond, perSecond: maxResetsPerSecond },
      idleMs: timeouts.keepAliveMs,
      headMs: timeouts.headMs,
      sendStallMs: timeouts.sendStallMs,
    },
  });
}
