import type { Runtime } from '../../runtime/runtime.ts';
import { discoveryError } from '../discovery-error.ts';
import {
  type Look,
  type Reading,
  type RegistrySource,
  UNCHANGED,
} from '../registry/registry-source.ts';
import type { SourceIdentity } from '../source-report.ts';
import type { Connection } from './client/connection.ts';
import type { ZookeeperConfig } from './config.ts';
import { joinMembers } from '../payload/decode-members.ts';
import { ZnodeTree } from './znode-tree.ts';

/** Of the session timeout: so long a server may be silent. */
const SILENCE_RATIO = 2 / 3;
/** A connection that has been quiet for this share of the session timeout is not trusted with a whole reading. */
const STALE_RATIO = 1 / 2;

/** Longest silence of a watch: a question goes out after a third of the session timeout, and has another third. */
export function silenceOf(sessionTimeoutMs: number): number {
  return sessionTimeoutMs * SILENCE_RATIO;
}

/** What is used of a connection. */
export type Link = Pick<
  Connection,
  | 'children'
  | 'data'
  | 'exists'
  | 'listener'
  | 'problem'
  | 'readOnly'
  | 'quietMs'
  | 'takeBusyMs'
  | 'cut'
  | 'close'
>;

/** Where connections come from. */
export interface LinkMaker {
  /** A new connection, to another server than the last one if there is another. */
  connect(signal: AbortSignal): Promise<Link>;
}

/** What happened on a connection that somebody waits on. */
type Waiter = (problem: Error | undefined) => void;

/**
 * The children of a node of ZooKeeper. The position counts what was read: it only has to differ.
 *
 * There is nothing in a session of discovery that has to outlive its connection. So every failure ends both, and the next
 * reading makes new ones, on the next server, and reads everything. That is also what a second look does: the server
 * that gave the suspicious answer may be the one that lags behind.
 */
export class ZookeeperSource implements RegistrySource<number> {
  readonly identity: SourceIdentity;
  readonly subject: string;
  readonly #config: ZookeeperConfig;
  readonly #runtime: Runtime;
  readonly #maker: LinkMaker;
  #connection: Link | undefined;
  #tree: ZnodeTree | undefined;
  #waiter: Waiter | undefined;
  /** A connection that is saying good-bye. */
  #leaving: Promise<void> | undefined;
  #position = 0;
  #closed = false;

  constructor(config: ZookeeperConfig, runtime: Runtime, maker: LinkMaker) {
    this.#config = config;
    this.#runtime = runtime;
    this.#maker = maker;
    const { endpoint } = config.rules;
    this.subject = endpoint === undefined ? config.path : `${config.path} endpoint ${endpoint}`;
    this.identity = { kind: 'zookeeper', source: `${this.subject} at ${serversOf(config)}` };
  }

  async read({ signal, careful }: Look): Promise<Reading<number>> {
    const tree = await this.#treeFor(careful, signal);
    try {
      await tree.load(signal);
    } catch (error) {
      // Nobody waits for the rest, which may be thousands of answers.
      if (signal.aborted) this.#drop();
      throw error;
    }
    return this.#readingOf(tree);
  }

  async watch(_position: number, { signal }: Look): Promise<Reading<number> | typeof UNCHANGED> {
    const tree = this.#tree;
    const connection = this.#connection;
    if (tree === undefined || connection === undefined) throw discoveryError('not connected');
    if (!tree.dirty) await this.#somethingHappens(connection, signal);
    if (!tree.dirty) return UNCHANGED;
    await tree.update(signal);
    return this.#readingOf(tree);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    await Promise.all([this.#leaving, connection?.close()]);
  }

  async #treeFor(careful: boolean, signal: AbortSignal): Promise<ZnodeTree> {
    const { sessionTimeoutMs } = this.#config.connection;
    const known = this.#connection;
    if (known !== undefined && this.#tree !== undefined && known.problem === undefined) {
      const isStale = known.quietMs > sessionTimeoutMs * STALE_RATIO;
      if (!careful && !isStale && !known.readOnly) return this.#tree;
      if (isStale) known.cut();
      // The question does not wait for the good-bye.
      else this.#leaving = known.close();
    }
    this.#connection = undefined;
    const connection = await this.#maker.connect(signal);
    if (this.#closed) {
      connection.cut();
      throw discoveryError('closed');
    }
    connection.listener = {
      onAlive: () => this.#connection === connection && this.#wake(undefined),
      onClosed: (problem) => this.#connection === connection && this.#wake(problem),
    };
    this.#connection = connection;
    this.#tree = new ZnodeTree(connection, this.#config);
    return this.#tree;
  }

  /** Resolves with the next sign of life, an event being one. */
  #somethingHappens(connection: Link, signal: AbortSignal): Promise<void> {
    if (connection.problem !== undefined) return Promise.reject(connection.problem);
    return new Promise<void>((resolve, reject) => {
      const onAbort = (): void => this.#wake(discoveryError('aborted'));
      this.#waiter = (problem) => {
        signal.removeEventListener('abort', onAbort);
        if (problem === undefined) resolve();
        else reject(problem);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #wake(problem: Error | undefined): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(problem);
  }

  #drop(): void {
    this.#connection?.cut();
    this.#connection = undefined;
  }

  #readingOf(tree: ZnodeTree): Reading<number> {
    const startMs = this.#runtime.clock.nowMs();
    const { endpoints, complaint } = joinMembers(tree.members);
    this.#position += 1;
    return {
      endpoints,
      position: this.#position,
      busyMs: (this.#connection?.takeBusyMs() ?? 0) + this.#runtime.clock.nowMs() - startMs,
      complaint: joined([
        complaint,
        tree.exists ? undefined : 'there is no such node',
        this.#connection?.readOnly === true ? 'the server has lost its ensemble' : undefined,
      ]),
    };
  }
}

function serversOf({ connection }: ZookeeperConfig): string {
  return connection.address.slice(0, connection.address.length - connection.chroot.length);
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  const given = parts.filter((part) => part !== undefined);
  return given.length === 0 ? undefined : given.join('; ');
}
