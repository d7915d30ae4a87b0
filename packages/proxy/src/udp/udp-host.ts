/** What a listener gives to its sessions. */
import type { Runtime } from '@evenkeel/core';
import type { Sweeper } from '../socket/sweeper.ts';
import type { UdpCounters } from './udp-counters.ts';
import type { ClientPlace, UdpSession } from './udp-session.ts';

export interface UdpHost {
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
  readonly counters: UdpCounters;
  /** Longest silence of both sides, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Sends a datagram of an endpoint to a client. */
  reply(bytes: Buffer, client: ClientPlace): void;
  /** A session is over: the next datagram of its client begins another one. */
  closed(session: UdpSession): void;
  /** The socket of a session that is over is closed. */
  gone(): void;
}
