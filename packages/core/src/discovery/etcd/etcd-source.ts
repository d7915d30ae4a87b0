import { Backoff } from '../../algorithm/backoff.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { sleep } from '../../runtime/scheduler.ts';
import { discoveryError } from '../discovery-error.ts';
import {
  type Look,
  type Reading,
  type RegistrySource,
  UNCHANGED,
} from '../registry/registry-source.ts';
import type { SourceIdentity } from '../source-report.ts';
import { joinMembers, type Member } from '../payload/decode-members.ts';
import type { EtcdClient } from './client/etcd-client.ts';
import { CompactedError } from './client/open-watch.ts';
import { type Header, type KeyValue, keyOf, type WatchEvent } from './client/wire.ts';
import type { EtcdConfig } from './config.ts';
import { readRange } from './read-range.ts';
import { decodeValue } from './value/decode-value.ts';
import { WatchSession } from './watch-session.ts';

/** A watch that is opened anew and not confirmed: the limit of the engine, which counts it as a silence, comes first. */
const SLACK_MS = 100;
/** Ceiling of the first pause before a watch that is not the first to fail. */
const FIRST_DELAY_MS = 250;

/**
 * The keys with a prefix. They are read once, and then kept up to date by the events of a watch. The position is the
 * revision up to which that has been done.
 *
 * | what an answer says                   | what it means                                 | what happens                             |
 * |---------------------------------------|-----------------------------------------------|------------------------------------------|
 * | a revision at least as high as before | all is well                                   | taken                                    |
 * | a lower one, from any member          | a member that lags, or data restored or lost  | asked again, of the majority             |
 * | a lower one, from the majority        | data restored from a backup, or lost          | taken, with a complaint; the guard judges|
 * | the id of another cluster             | the members were replaced                     | the same                                 |
 * | "compacted"                           | events that we have not seen are gone         | everything is read                       |
 */
export class EtcdSource implements RegistrySource<bigint> {
  readonly identity: SourceIdentity;
  readonly subject: string;
  readonly #config: EtcdConfig;
  readonly #prefix: string;
  readonly #client: EtcdClient;
  readonly #runtime: Runtime;
  /** By key. */
  #table = new Map<string, Member>();
  /** Of the last good answer. */
  #known: Header | undefined;
  #session: WatchSession | undefined;
  /** Where the next watch begins: the member that was read from. */
  #slot = 0;
  /** A member whose watch broke off or fell silent: others are asked first. */
  #suspect: number | undefined;
  #busyMs = 0;
  /** Of watches that failed in a row while everything could be read. */
  readonly #backoff: Backoff;
  #watchDelayMs = 0;
  #isRepeated = false;

  constructor(config: EtcdConfig, client: EtcdClient, runtime: Runtime) {
    this.#config = config;
    this.#prefix = keyOf(config.prefix);
    this.#client = client;
    this.#runtime = runtime;
    const maxMs = Math.min(config.watch.maxBackoffMs, config.waitMs / 2);
    this.#backoff = new Backoff({
      baseMs: Math.min(FIRST_DELAY_MS, maxMs),
      maxMs,
      jitter: 'full',
      random: runtime.random,
    });
    this.subject = config.prefix;
    this.identity = { kind: 'etcd', source: `${config.prefix} at ${config.connection.address}` };
  }

  async read(look: Look): Promise<Reading<bigint>> {
    this.#endSession();
    const { signal } = look;
    const question = {
      prefix: this.#prefix,
      prefer: this.#suspect === undefined ? undefined : { avoid: [this.#suspect] },
      signal,
    };
    const serializable = this.#config.consistency === 'serializable' && !look.careful;
    let range = await readRange(this.#client, { ...question, serializable });
    if (serializable && this.#oddityOf(range.header) !== undefined) {
      range = await readRange(this.#client, { ...question, serializable: false });
    }
    if (signal.aborted) throw discoveryError('aborted');
    const oddity = this.#oddityOf(range.header);
    this.#known = range.header;
    this.#slot = range.slot;
    this.#suspect = undefined;
    this.#timed(() => {
      this.#table = new Map();
      for (const keyValue of range.keyValues) this.#put(keyValue);
    });
    return this.#reading(range.header.revision, oddity);
  }

  async watch(position: bigint, look: Look): Promise<Reading<bigint> | typeof UNCHANGED> {
    // Everything counts, the pause and the opening, too: the whole has to end before it looks like a silence.
    const untilMs = this.#runtime.clock.nowMs() + this.#config.waitMs + SLACK_MS;
    // A cluster without a leader can be read, but not be watched: the readings between must become fewer.
    if (this.#watchDelayMs > 0 && this.#session === undefined) {
      await sleep(this.#runtime.scheduler, this.#watchDelayMs, look.signal);
    }
    const session = (this.#session ??= this.#openSession(position));
    try {
      const news = await session.next(untilMs, look.signal);
      if (look.signal.aborted || this.#session !== session) throw discoveryError('aborted');
      this.#slot = session.slot;
      this.#watchDelayMs = 0;
      this.#isRepeated = false;
      this.#backoff.reset();
      return news === 'alive' ? UNCHANGED : this.#reading(session.revision, undefined);
    } catch (error) {
      if (this.#session !== session) throw error;
      this.#endSession();
      // Nothing has happened below the prefix for so long that there is no history of it: no reason to complain.
      if (error instanceof CompactedError && session.isRenewed) return this.read(look);
      if (!(error instanceof CompactedError)) this.#suspect = session.slot;
      this.#watchDelayMs = this.#isRepeated ? this.#backoff.nextMs() : 0;
      this.#isRepeated = true;
      throw error;
    }
  }

  close(): Promise<void> {
    this.#endSession();
    return this.#client.close();
  }

  #openSession(position: bigint): WatchSession {
    return new WatchSession({
      client: this.#client,
      prefix: this.#prefix,
      revision: position,
      slot: this.#slot,
      runtime: this.#runtime,
      checkHeader: (header) => this.#checkHeader(header),
      apply: (events) => this.#timed(() => this.#apply(events)),
    });
  }

  #endSession(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #apply(events: readonly WatchEvent[]): void {
    for (const { kind, keyValue } of events) {
      if (kind === 'put') this.#put(keyValue);
      else this.#table.delete(keyValue.key);
    }
  }

  #put(keyValue: KeyValue): void {
    if (!keyValue.key.startsWith(this.#prefix)) throw discoveryError('the answer has other keys');
    this.#table.set(keyValue.key, decodeValue(keyValue, this.#config.format));
  }

  #reading(position: bigint, oddity: string | undefined): Reading<bigint> {
    const { endpoints, complaint } = this.#timed(() => joinMembers(this.#table));
    const busyMs = this.#busyMs;
    this.#busyMs = 0;
    const complaints = [oddity, complaint].filter((part) => part !== undefined);
    return {
      endpoints,
      position,
      busyMs,
      complaint: complaints.length === 0 ? undefined : complaints.join('; '),
    };
  }

  /** Why an answer cannot come from where the last one came from. */
  #oddityOf({ clusterId, revision }: Header): string | undefined {
    const known = this.#known;
    if (known === undefined) return undefined;
    if (clusterId !== known.clusterId) {
      return `another cluster answers: its id was ${known.clusterId} and is ${clusterId}`;
    }
    return revision < known.revision
      ? `the revision went back from ${known.revision} to ${revision}: restored from a backup, or data lost`
      : undefined;
  }

  #checkHeader(header: Header): void {
    const known = this.#known;
    if (known !== undefined && header.clusterId !== known.clusterId) {
      throw discoveryError(this.#oddityOf(header) ?? '');
    }
    if (known !== undefined && header.revision > known.revision) this.#known = header;
  }

  /** Adds up how long the thread was busy since the last reading. */
  #timed<T>(run: () => T): T {
    const { clock } = this.#runtime;
    const startMs = clock.nowMs();
    const result = run();
    this.#busyMs += clock.nowMs() - startMs;
    return result;
  }
}
