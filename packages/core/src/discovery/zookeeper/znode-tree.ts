import { messageOf } from '../../error/evenkeel-error.ts';
import { MAX_ENDPOINTS } from '../../model/endpoint-set.ts';
import { discoveryError } from '../discovery-error.ts';
import type { Connection } from './client/connection.ts';
import type { LibraryEvent } from './client/library.ts';
import { isRefusal } from './client/zookeeper-error.ts';
import type { ZookeeperConfig } from './config.ts';
import { decodeMember, type Member } from '../payload/decode-members.ts';

/** What is asked of a connection. */
type TreeLink = Pick<Connection, 'children' | 'data' | 'exists' | 'problem'>;

/** A node that comes and goes while we look is looked at again so often. */
const MAX_LOOKS = 3;

/**
 * The children of one node as one connection sees them, and what has changed since they were read.
 *
 * Watches of ZooKeeper fire once. Each is set by the very call that reads what it watches, so nothing falls in between:
 * whatever changes later makes the child, or the list, dirty. Any number of changes to one thing are read once.
 */
export class ZnodeTree {
  readonly #connection: TreeLink;
  readonly #config: ZookeeperConfig;
  readonly #members = new Map<string, Member>();
  #dirtyNames = new Set<string>();
  #isListDirty = true;
  #exists = true;

  constructor(connection: TreeLink, config: ZookeeperConfig) {
    this.#connection = connection;
    this.#config = config;
  }

  get dirty(): boolean {
    return this.#isListDirty || this.#dirtyNames.size > 0;
  }

  /** Is there a node to have children? */
  get exists(): boolean {
    return this.#exists;
  }

  /** In the order of their names. */
  get members(): ReadonlyMap<string, Member> {
    return this.#members;
  }

  /** Reads everything anew. */
  async load(signal: AbortSignal): Promise<void> {
    this.#members.clear();
    this.#isListDirty = true;
    await this.update(signal);
  }

  /** Reads what has changed. After a rejection the state is unknown: `load()`, or another connection. */
  async update(signal: AbortSignal): Promise<void> {
    const dirty = this.#dirtyNames;
    this.#dirtyNames = new Set();
    if (this.#isListDirty) await this.#list();
    const wanted = [...this.#members.keys()].filter(
      (name) => dirty.has(name) || this.#members.get(name) === UNREAD,
    );
    await this.#readAll(wanted, signal);
  }

  async #list(): Promise<void> {
    this.#isListDirty = false;
    const names = await this.#childNames();
    if (names.length > MAX_ENDPOINTS) {
      throw discoveryError(`has ${names.length} children; at most ${MAX_ENDPOINTS} are allowed`);
    }
    const known = new Map(this.#members);
    this.#members.clear();
    // Sorted, because a server lists them in an order of its own.
    for (const name of [...names].sort()) this.#members.set(name, known.get(name) ?? UNREAD);
  }

  async #childNames(): Promise<readonly string[]> {
    const { path } = this.#config;
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      try {
        const names = await this.#connection.children(path, this.#onListEvent);
        this.#exists = true;
        return names;
      } catch (error) {
        if (!isRefusal(error, 'no-node')) throw error;
      }
      // Watches its creation, unless it has just been created.
      if ((await this.#connection.exists(path, this.#onListEvent)) === undefined) break;
    }
    this.#exists = false;
    return [];
  }

  /** Keeps a bounded number of questions under way. */
  async #readAll(names: readonly string[], signal: AbortSignal): Promise<void> {
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < names.length && !signal.aborted) {
        const name = names[next] as string;
        next += 1;
        await this.#read(name);
      }
    };
    const workers = Math.min(this.#config.maxConcurrentReads, names.length);
    await Promise.all(Array.from({ length: workers }, work));
    signal.throwIfAborted();
  }

  async #read(name: string): Promise<void> {
    try {
      const node = await this.#connection.data(`${this.#config.path}/${name}`, this.#onNodeEvent);
      this.#members.set(name, decodeMember(name, node, this.#config.rules));
    } catch (error) {
      if (this.#connection.problem !== undefined) throw error;
      // Gone since the list was read: the next list, which is on its way, lacks it.
      if (isRefusal(error, 'no-node')) this.#members.delete(name);
      else this.#members.set(name, { kind: 'wrong', problem: messageOf(error) });
    }
  }

  readonly #onListEvent = (): void => {
    this.#isListDirty = true;
  };

  readonly #onNodeEvent = ({ path }: LibraryEvent): void => {
    this.#dirtyNames.add(path.slice(this.#config.path.length + 1));
  };
}

const UNREAD: Member = { kind: 'other' };
