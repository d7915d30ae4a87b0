/** What a session may be told: its role, its ports, and how much of a peer it puts up with. */
import type { Runtime } from '@evenkeel/core';
import type { TurnEnd } from '../../runtime/turn-end.ts';
import type { Sweeper } from '../../socket/sweeper.ts';

/** Limits of one session. All of them are checked by whoever lets users set them. */
export interface Http2Limits {
  /** Streams a peer may have open at once; announced. 1..1,000,000, default 100. */
  readonly maxConcurrentStreams: number;
  /** Decoded bytes of a field block, 32 more per field (RFC 9113 section 6.5.2); announced. Default 16,384. */
  readonly maxHeaderListBytes: number;
  /** Fields of a block. Default 100. */
  readonly maxFields: number;
  /** Bytes on the wire of a block and its CONTINUATION frames (CVE-2024-27316). Default 32,768. */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames of one block, empty ones too. Default 8. */
  readonly maxContinuations: number;
  /** Bytes of the decoder's dynamic table; announced. 0..65,536, default 4,096. */
  readonly headerTableBytes: number;
  /** Most the encoder's dynamic table may have, whatever the peer offers. 0..65,536, default 4,096. */
  readonly maxEncoderTableBytes: number;
  /** Bytes of one stream that may be under way or held; announced. 1..2^31-1, default 262,144. */
  readonly streamWindowBytes: number;
  /** The same of all streams together. 65,535..2^31-1, default 1,048,576. */
  readonly connectionWindowBytes: number;
  /** Largest frame taken; announced. 16,384..16,777,215, default 16,384. */
  readonly maxFrameBytes: number;
  /** Announced by a server that takes the extended CONNECT of RFC 8441. Default false. */
  readonly takesConnectProtocol: boolean;
  /** Frames other than DATA that may wait for a peer which does not read; and 1 MiB of them. Default 1,000. */
  readonly maxQueuedControlFrames: number;
  /** Streams that end by RST_STREAM, ours for a fault of the peer included (CVE-2023-44487, CVE-2025-8671). */
  readonly resets: RateLimit;
  /** Frames that achieve nothing: PING, SETTINGS, PRIORITY, empty DATA, unknown ones. */
  readonly idleFrames: RateLimit;
  /** WINDOW_UPDATE frames. */
  readonly windowUpdates: RateLimit;
  /** How long a session without streams stays; 0 for ever. Default 60,000. */
  readonly idleMs: number;
  /** How long the preface, and a field block that was begun, may take. Default 10,000. */
  readonly headMs: number;
  /** How long the peer may take to acknowledge settings (RFC 9113 section 6.5.3). Default 10,000. */
  readonly settingsMs: number;
  /** How long a stream with data to be sent may keep its window closed, or its connection full. Default 30,000. */
  readonly sendStallMs: number;
  /** After how much silence a PING asks whether the peer is there; 0 for never. Default 0. */
  readonly keepAliveMs: number;
  /** How long its answer may take. Default 10,000. */
  readonly pingMs: number;
}

/** So many at once, and so many more each second. */
export interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export const DEFAULT_HTTP2_LIMITS: Http2Limits = Object.freeze({
  maxConcurrentStreams: 100,
  maxHeaderListBytes: 16_384,
  maxFields: 100,
  maxHeaderBlockBytes: 32_768,
  maxContinuations: 8,
  headerTableBytes: 4_096,
  maxEncoderTableBytes: 4_096,
  streamWindowBytes: 262_144,
  connectionWindowBytes: 1_048_576,
  maxFrameBytes: 16_384,
  takesConnectProtocol: false,
  maxQueuedControlFrames: 1_000,
  // Browsers that leave a page reset a hundred at once; gRPC clients with deadlines keep doing it.
  resets: Object.freeze({ burst: 1_000, perSecond: 100 }),
  // gRPC measures the path with a PING per round trip while data flows.
  idleFrames: Object.freeze({ burst: 5_000, perSecond: 1_000 }),
  // Some clients send one for each DATA frame, for the stream and for the connection.
  windowUpdates: Object.freeze({ burst: 20_000, perSecond: 20_000 }),
  idleMs: 60_000,
  headMs: 10_000,
  settingsMs: 10_000,
  sendStallMs: 30_000,
  keepAliveMs: 0,
  pingMs: 10_000,
});

export type Http2Role = 'server' | 'client';

export interface Http2SessionOptions {
  readonly role: Http2Role;
  readonly runtime: Pick<Runtime, 'clock' | 'scheduler'>;
  /** Of all sessions. */
  readonly sweeper: Sweeper;
  /** When to send what was gathered. Default: when the sockets of this turn of the event loop were read. */
  readonly turnEnd?: TurnEnd;
  readonly limits?: Partial<Http2Limits>;
}
