/** Writes nodes as other programs would: with the plain client library, on a session of its own. */
import zookeeper from 'node-zookeeper-client';

type Callback = (error: Error | null, ...rest: unknown[]) => void;

/** As the published types have it, short of what is private. */
type Client = ReturnType<typeof zookeeper.createClient>;

const { CreateMode } = zookeeper;
const ACLS = zookeeper.ACL as unknown as Record<string, InstanceType<typeof zookeeper.ACL>[]>;

/** The plain client waits for ever for a server that is gone. */
const GOODBYE_MS = 500;
const CONNECT_LIMIT_MS = 8_000;
const CALL_LIMIT_MS = 8_000;

export class ZnodeWriter {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async connect(address: string, digest?: string): Promise<ZnodeWriter> {
    const client = zookeeper.createClient(address, { sessionTimeout: 30_000, spinDelay: 20 });
    const connected = new Promise<void>((resolve) => client.once('connected', resolve));
    client.connect();
    await limited(connected, CONNECT_LIMIT_MS);
    if (digest !== undefined) client.addAuthInfo('digest', Buffer.from(digest));
    return new ZnodeWriter(client);
  }

  /** Nodes that stay, one below the other; those that are there already are fine. */
  async mkdirp(path: string): Promise<void> {
    await this.#promise((done) => this.#client.mkdirp(path, done as never));
  }

  /** @returns the path, which a sequential node has a number at the end of */
  async create(
    path: string,
    data: string,
    options: { ephemeral?: boolean; sequential?: boolean; acl?: 'creator' | 'open' } = {},
  ): Promise<string> {
    const { ephemeral = true, sequential = false, acl = 'open' } = options;
    const mode =
      (ephemeral ? CreateMode.EPHEMERAL : CreateMode.PERSISTENT) |
      (sequential ? CreateMode.PERSISTENT_SEQUENTIAL : 0);
    const acls = ACLS[acl === 'open' ? 'OPEN_ACL_UNSAFE' : 'CREATOR_ALL_ACL'] ?? [];
    return (await this.#promise((done) =>
      this.#client.create(path, Buffer.from(data), acls, mode, done as never),
    )) as string;
  }

  async set(path: string, data: string): Promise<void> {
    await this.#promise((done) => this.#client.setData(path, Buffer.from(data), done as never));
  }

  async get(path: string): Promise<string> {
    const data = await this.#promise((done) => this.#client.getData(path, done as never));
    return String(data);
  }

  async children(path: string): Promise<string[]> {
    return (await this.#promise((done) =>
      this.#client.getChildren(path, done as never),
    )) as string[];
  }

  async remove(path: string): Promise<void> {
    await this.#promise((done) => this.#client.remove(path, done as never));
  }

  async removeAll(path: string): Promise<void> {
    for (const name of await this.children(path)) await this.remove(`${path}/${name}`);
  }

  async restrict(path: string): Promise<void> {
    const acls = ACLS['CREATOR_ALL_ACL'] ?? [];
    await this.#promise((done) => this.#client.setACL(path, acls, done as never));
  }

  async open(path: string): Promise<void> {
    const acls = ACLS['OPEN_ACL_UNSAFE'] ?? [];
    await this.#promise((done) => this.#client.setACL(path, acls, done as never));
  }

  /** Many at once. */
  async createMany(nodes: readonly (readonly [path: string, data: string])[]): Promise<void> {
    const BATCH = 500;
    for (let start = 0; start < nodes.length; start += BATCH) {
      const transaction = this.#client.transaction();
      for (const [path, data] of nodes.slice(start, start + BATCH)) {
        transaction.create(path, Buffer.from(data), CreateMode.PERSISTENT);
      }
      await this.#promise((done) => transaction.commit(done as never));
    }
  }

  /** Ends the session, and with it the ephemeral nodes; without a connection, only our end. */
  async close(): Promise<void> {
    const { connectionManager: manager } = this.#client as unknown as {
      connectionManager: { socket: { destroy(): void; destroyed: boolean } };
    };
    const closed = new Promise<void>((resolve) => this.#client.once('disconnected', resolve));
    const isConnected = this.#client.getState() === zookeeper.State.SYNC_CONNECTED;
    this.#client.close();
    if (isConnected) {
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))]);
    }
    manager.socket.destroy();
  }

  #promise(start: (done: Callback) => void): Promise<unknown> {
    const answered = new Promise((resolve, reject) => {
      start((error, value) =>
        error === null || error === undefined ? resolve(value) : reject(error),
      );
    });
    return limited(answered, CALL_LIMIT_MS);
  }
}

async function limited<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
