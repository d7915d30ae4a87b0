import type { UpstreamHttp2Config } from '../../config/http2-options.ts';
import type { Http2Session, Http2SessionOwner } from '../http2-stream.ts';
import { createHttp2Session } from '../session/session.ts';
import type { Http2SessionOptions } from '../session/session-options.ts';

/** What sessions with endpoints are made with, as far as an engine's host has it. */
export interface UpstreamSessionTools {
  readonly runtime: Http2SessionOptions['runtime'];
  readonly sweeper: Http2SessionOptions['sweeper'];
  readonly timeouts: {
    readonly connectMs: number;
    readonly sendStallMs: number;
    readonly upstreamIdleMs: number;
  };
  readonly responseHead: {
    readonly limits: { readonly maxFields: number; readonly maxHeadBytes: number };
  };
}

const FIELD_OVERHEAD = 32;

/** Makes sessions with endpoints, by the configuration that is in force then. */
export function openUpstreamSession(
  tools: UpstreamSessionTools,
): (owner: Http2SessionOwner, config: UpstreamHttp2Config) => Http2Session {
  return (owner, { pingMs }) => {
    const { runtime, sweeper, timeouts, responseHead } = tools;
    const { maxFields, maxHeadBytes } = responseHead.limits;
    return createHttp2Session(owner, {
      role: 'client',
      runtime,
      sweeper,
      limits: {
        maxFields: maxFields + 1,
        maxHeaderListBytes: maxHeadBytes + FIELD_OVERHEAD * maxFields,
        maxHeaderBlockBytes: 2 * maxHeadBytes,
        // Many clients share it: the slow ones among them must not stop the others.
        connectionWindowBytes: 4_194_304,
        idleMs: timeouts.upstreamIdleMs,
        // Whoever does not answer settings speaks something else.
        settingsMs: timeouts.connectMs,
        sendStallMs: timeouts.sendStallMs,
        keepAliveMs: pingMs,
      },
    });
  };
}
