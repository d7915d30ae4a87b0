/** What a proxy gives to the connections that run in it. */
import type { Runtime } from '@evenkeel/core';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ByteStream } from '../socket/byte-stream.ts';
import type { Output } from '../socket/output.ts';
import type { Sweeper } from '../socket/sweeper.ts';
import type { DateLine } from './date-line.ts';
import type { ProxyCounters } from './counters.ts';
import type { LoopGuard } from './loop-guard.ts';
import type { Observer } from './request-account.ts';
import type { RequestView } from './request-view.ts';
import type { RouteTable } from './route.ts';

export interface EngineHost {
  readonly runtime: Runtime;
  readonly timeouts: Timeouts;
  readonly sweeper: Sweeper;
  /** One for all connections: messages are read and written synchronously. */
  readonly requestHead: RequestHead;
  /** Shows what is in {@link requestHead}. */
  readonly view: RequestView;
  readonly responseHead: ResponseHead;
  readonly output: Output;
  readonly dateLine: DateLine;
  readonly counters: ProxyCounters;
  readonly observer: Observer;
  /** The routes of new requests; requests under way keep what they were given. */
  readonly routes: RouteTable;
  /** A whole `via` line, or empty. */
  readonly viaLine: Uint8Array;
  readonly loops: LoopGuard;
  /** Is the proxy closing, so that connections end with their response? */
  readonly draining: boolean;
  /** A client's connection is gone. */
  closed(client: Client): void;
}

/** A connection of a client, whatever it speaks. */
export interface Client {
  readonly stream: ByteStream;
  /**
   * Takes no new requests, and closes when those under way are done.
   *
   * @param idleMs where nothing can tell the peer beforehand, a request may be on its way: it is awaited so long, and
   *   answered. Default not at all
   */
  drain(idleMs?: number): void;
}

/** See `ProxyTimeouts` for what each means. */
export interface Timeouts {
  readonly handshakeMs: number;
  readonly headMs: number;
  readonly keepAliveMs: number;
  readonly bodyIdleMs: number;
  readonly bodyGraceMs: number;
  /** Of the body of a request; 0 for none. */
  readonly minBodyBytesPerSecond: number;
  readonly connectMs: number;
  readonly responseHeadMs: number;
  readonly requestMs: number;
  readonly sendStallMs: number;
  readonly upstreamIdleMs: number;
  readonly tunnelIdleMs: number;
}
