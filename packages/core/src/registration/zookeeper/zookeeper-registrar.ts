import { discoveryError } from '../../discovery/discovery-error.ts';
import type { Connection } from '../../discovery/zookeeper/client/connection.ts';
import { CREATE_MODE, creatorAcl, openAcl } from '../../discovery/zookeeper/client/library.ts';
import { isRefusal } from '../../discovery/zookeeper/client/zookeeper-error.ts';
import { decodePayload } from '../../discovery/payload/decode-payload.ts';
import type { PayloadFormat } from '../../discovery/payload/instance.ts';
import { createAddress, formatAddress } from '../../model/address.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Announcement, HealthReport, Registrar } from '../registration.ts';
import { encodePayload } from '../payload/encode-payload.ts';
import type { Session } from './session.ts';

export interface ZookeeperRegistrarOptions {
  readonly announcement: Announcement;
  readonly session: Session;
  /** Finds our address where none is given. */
  readonly findAddress: () => Promise<string>;
  /** Of the parent, with the chroot. */
  readonly path: string;
  /** Name of the node; of a sequential one what stands before the number, with something that only we have. */
  readonly name: string;
  readonly sequential: boolean;
  readonly format: PayloadFormat;
  readonly degradedWeight: number;
  readonly ttlMs: number;
  /** Only we may change our node: takes a digest. */
  readonly isProtected: boolean;
  readonly runtime: Runtime;
}

/** A node of ours, and the session that it ends with. */
interface OwnNode {
  readonly path: string;
  readonly owner: bigint;
}

/** A parent that is removed while we make it is made again so often. */
const MAX_TRIES = 3;

/**
 * An instance in ZooKeeper: an ephemeral node that ends with our session.
 *
 * | a node of our name is there already, and | what we do                                                        |
 * |------------------------------------------|-------------------------------------------------------------------|
 * | belongs to our session                   | write our data into it: a creation whose answer was lost          |
 * | to an older session of this process      | remove it, make our own                                           |
 * | to somebody else's, with our address     | the same: nobody else can be at it, we were here before a restart |
 * | to somebody else's, with another address | an error, again and again until it is gone: two have one id       |
 * | to none: it is not ephemeral             | an error: somebody else's node                                    |
 *
 * Sequential nodes cannot collide. Their names have a part that is ours alone, so that one whose creation was not
 * answered is found again.
 */
export class ZookeeperRegistrar implements Registrar {
  readonly ttlMs: number;
  readonly #options: ZookeeperRegistrarOptions;
  readonly #session: Session;
  #host: string | undefined;
  #sinceMs: number | undefined;
  #node: OwnNode | undefined;
  #written: Buffer | undefined;
  /** Has a creation begun whose answer is not known? */
  #isUncertain = false;

  constructor(options: ZookeeperRegistrarOptions) {
    this.ttlMs = options.ttlMs;
    this.#options = options;
    this.#session = options.session;
  }

  announce(report: HealthReport, signal: AbortSignal): Promise<void> {
    return this.#guarded(signal, async (connection) => {
      const data = await this.#payload(report);
      if (data === undefined) await this.#removeOwn(connection);
      else await this.#put(connection, data);
    });
  }

  beat(report: HealthReport, signal: AbortSignal): Promise<'known' | 'lost'> {
    return this.#guarded(signal, async (connection) => {
      const data = await this.#payload(report);
      if (data === undefined) {
        await this.#removeOwn(connection);
        return 'known';
      }
      if (this.#node === undefined && this.#written === undefined) {
        // It was gone on purpose, and may be there again.
        await this.#put(connection, data);
        return 'known';
      }
      if (!(await this.#isThere(connection))) {
        this.#node = undefined;
        return 'lost';
      }
      if (this.#written?.equals(data) !== true) await this.#write(connection, data);
      return 'known';
    });
  }

  async withdraw(signal: AbortSignal): Promise<void> {
    if (!this.#session.begun) return;
    await this.#guarded(signal, (connection) => this.#removeOwn(connection));
  }

  /** What else there may be of us, a node whose creation was not answered, ends with the session. */
  close(): Promise<void> {
    return this.#session.close();
  }

  /** A call that is given up leaves a connection in doubt: it is cut, and the next call tries another server. */
  async #guarded<T>(signal: AbortSignal, run: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#session.connection(signal);
    const onAbort = (): void => this.#session.cut();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await run(connection);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #payload(report: HealthReport): Promise<Buffer | undefined> {
    const { announcement, format, degradedWeight, findAddress, runtime } = this.#options;
    this.#host ??= announcement.address ?? (await findAddress());
    return encodePayload(format, {
      announcement,
      host: this.#host,
      report,
      degradedWeight,
      sinceMs: (this.#sinceMs ??= runtime.clock.wallMs()),
    });
  }

  async #isThere(connection: Connection): Promise<boolean> {
    const node = this.#node;
    if (node?.owner !== connection.sessionId) return false;
    return (await connection.exists(node.path))?.owner === node.owner;
  }

  async #put(connection: Connection, data: Buffer): Promise<void> {
    if (this.#isUncertain && this.#options.sequential) await this.#find(connection);
    if (await this.#isThere(connection)) {
      await this.#write(connection, data);
      return;
    }
    this.#isUncertain = true;
    const path = await this.#create(connection, data);
    this.#isUncertain = false;
    this.#node = { path, owner: connection.sessionId };
    this.#written = data;
  }

  async #write(connection: Connection, data: Buffer): Promise<void> {
    if (this.#node === undefined) return;
    await connection.setData(this.#node.path, data);
    this.#written = data;
  }

  async #create(connection: Connection, data: Buffer): Promise<string> {
    const { path: parent, name, sequential } = this.#options;
    const path = `${parent}/${name}`;
    const mode = sequential ? CREATE_MODE.ephemeralSequential : CREATE_MODE.ephemeral;
    const acl = this.#options.isProtected ? creatorAcl() : openAcl();
    for (let tries = 1; ; tries += 1) {
      try {
        return await connection.create(path, { data, acl, mode });
      } catch (error) {
        if (tries >= MAX_TRIES) throw error;
        if (isRefusal(error, 'no-node')) await createParents(connection, parent);
        else if (!isRefusal(error, 'node-exists')) throw error;
        else if (await this.#takeOver(connection, path)) {
          await connection.setData(path, data);
          return path;
        }
      }
    }
  }

  /** @returns whether the node is ours as it is; otherwise it is gone. @throws EvenkeelError when it is another's */
  async #takeOver(connection: Connection, path: string): Promise<boolean> {
    try {
      const { owner, data } = await connection.data(path);
      if (owner === connection.sessionId) return true;
      if (owner === 0n) throw discoveryError(`${path} is there already, and not ephemeral`);
      if (!this.#session.isOurs(owner) && !this.#hasOurAddress(data)) {
        throw discoveryError(
          `${path} belongs to another session, 0x${owner.toString(16)}, with another address; waiting for its end`,
        );
      }
      await connection.remove(path);
    } catch (error) {
      if (!isRefusal(error, 'no-node')) throw error;
    }
    return false;
  }

  #hasOurAddress(data: Buffer): boolean {
    const { name, format, announcement } = this.#options;
    try {
      const instance = decodePayload(name, data, { format, endpoint: undefined });
      const ours = formatAddress(createAddress(this.#host ?? '', announcement.port));
      return instance !== undefined && formatAddress(instance.endpoint.address) === ours;
    } catch {
      return false;
    }
  }

  /** Looks for nodes that were made without our hearing of it; keeps one of this session. */
  async #find(connection: Connection): Promise<void> {
    const { path: parent, name } = this.#options;
    let names: readonly string[] = [];
    try {
      names = await connection.children(parent);
    } catch (error) {
      if (!isRefusal(error, 'no-node')) throw error;
    }
    for (const found of names.filter((other) => other.startsWith(name))) {
      const path = `${parent}/${found}`;
      const owner = (await connection.exists(path))?.owner;
      if (owner === connection.sessionId && this.#node?.owner !== owner)
        this.#node = { path, owner };
      else if (owner !== undefined && path !== this.#node?.path)
        await removeIfThere(connection, path);
    }
    this.#isUncertain = false;
  }

  async #removeOwn(connection: Connection): Promise<void> {
    const { sequential, path, name } = this.#options;
    if (this.#isUncertain && sequential) await this.#find(connection);
    const own = this.#node?.path ?? (this.#isUncertain ? `${path}/${name}` : undefined);
    if (own !== undefined) {
      const there = await connection.exists(own);
      if (there !== undefined && this.#session.isOurs(there.owner)) {
        await removeIfThere(connection, own);
      }
    }
    this.#node = undefined;
    this.#written = undefined;
    this.#isUncertain = false;
  }
}

async function removeIfThere(connection: Connection, path: string): Promise<void> {
  try {
    await connection.remove(path);
  } catch (error) {
    if (!isRefusal(error, 'no-node')) throw error;
  }
}

/** Nodes that stay, and that everybody may use: others register below them, too. */
async function createParents(connection: Connection, path: string): Promise<void> {
  const parts = path.slice(1).split('/');
  for (let count = 1; count <= parts.length; count += 1) {
    const parent = `/${parts.slice(0, count).join('/')}`;
    if ((await connection.exists(parent)) !== undefined) continue;
    try {
      await connection.create(parent, {
        data: Buffer.alloc(0),
        acl: openAcl(),
        mode: CREATE_MODE.persistent,
      });
    } catch (error) {
      if (!isRefusal(error, 'node-exists')) throw error;
    }
  }
}
