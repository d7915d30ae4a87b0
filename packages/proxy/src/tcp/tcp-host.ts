/** What a listener gives to its connections. */
import type { Runtime } from '@evenkeel/core';
import type { Sweeper } from '../socket/sweeper.ts';
import type { TcpConnection } from './tcp-connection.ts';
import type { TcpCounters } from './tcp-counters.ts';
import type { TcpTargets } from './tcp-target.ts';

/** All in milliseconds. */
export interface TcpTimeouts {
  /** Longest silence of both sides. */
  readonly idleTimeoutMs: number;
  /** For one try to connect to an endpoint. */
  readonly connectTimeoutMs: number;
  /** For all of the first message of a TLS client. */
  readonly helloTimeoutMs: number;
}

export interface TcpHost {
  readonly runtime: Runtime;
  readonly sweeper: Sweeper;
  readonly counters: TcpCounters;
  readonly timeouts: TcpTimeouts;
  readonly targets: TcpTargets;
  /** A connection is gone, both ends of it. */
  closed(connection: TcpConnection): void;
}
