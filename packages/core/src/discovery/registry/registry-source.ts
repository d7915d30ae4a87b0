/**
 * What a registry looks like to the watch engine: something that can be read, and waited on for changes. Consul's
 * blocking queries, ZooKeeper's watches and etcd's streams all come down to these two calls.
 */
import type { Endpoint } from '../../model/endpoint.ts';
import type { SourceIdentity } from '../source-report.ts';

/** @typeParam Position what the source needs to know to wait for something newer: an index, a revision */
export interface RegistrySource<Position> {
  readonly identity: SourceIdentity;
  /** What is asked for, whichever server is asked: a set from disk is used only for the same subject. */
  readonly subject: string;

  /** Reads everything now, whatever was read before. */
  read(look: Look): Promise<Reading<Position>>;

  /**
   * Waits for anything newer than `position` and says what is then listed. Resolves with {@link UNCHANGED} as a sign of
   * life, at the latest {@link WatchTimes.silenceMs} after the call: a registry that says nothing is taken for dead.
   * Rejects when waiting makes no sense any more, for example because the position is too old; everything is then read.
   */
  watch(position: Position, look: Look): Promise<Reading<Position> | typeof UNCHANGED>;

  /** Closes connections and sessions; idempotent. No call is under way then, but an aborted one may be settling. */
  close(): Promise<void>;
}

/** What a call has to heed. */
export interface Look {
  /** Aborted when nobody waits for the result any more; the call then ends soon, and its result is ignored. */
  readonly signal: AbortSignal;
  /** The answer decides about many endpoints: it should come from where the registry knows best. */
  readonly careful: boolean;
}

export interface Reading<Position> {
  readonly endpoints: readonly Endpoint[];
  /** Where to wait from; undefined: this cannot be waited on, read again after {@link WatchTimes.pollIntervalMs}. */
  readonly position: Position | undefined;
  /** What was wrong in an otherwise good answer. */
  readonly complaint?: string | undefined;
  /** How long the thread was busy with the answer: large ones are asked for less often. Default 0. */
  readonly busyMs?: number | undefined;
}

/** The registry is alive and has nothing new. */
export const UNCHANGED: unique symbol = Symbol('unchanged');
