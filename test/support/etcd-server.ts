/** Real etcd servers on loopback, in folders of their own: started, paused, killed, started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { createTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';

export interface EtcdServerOptions {
  /** Runs in there, and is reached at its address. Default: on loopback. */
  readonly namespace?: NetworkNamespace | undefined;
  /** Files in PEM: an HTTPS port besides, which wants a client certificate of the authority. Default: none. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
  /** More flags: `--auth-token-ttl=1`. */
  readonly flags?: readonly string[] | undefined;
}

/** How a server finds the others. */
interface Membership {
  readonly name: string;
  /** `name=peer address` of each, with commas. */
  readonly initialCluster: string;
}

interface Ports {
  readonly client: number;
  readonly peer: number;
  readonly secure: number;
  /** Answers without TLS and authentication: where it is asked whether it is well. */
  readonly metrics: number;
}

/** Longest wait for a server to be ready: it takes half a second, and an election where there are several. */
const LIMIT_MS = 30_000;
/** Election after half a second, and no flushing to disk: what is lost here is lost on purpose. */
const SPEED = ['--heartbeat-interval=50', '--election-timeout=500', '--unsafe-no-fsync'];

export class EtcdServer {
  readonly #command: string;
  readonly #options: EtcdServerOptions;
  readonly #directory: TemporaryDirectory;
  readonly #ports: Ports;
  readonly #membership: Membership;
  readonly #host: string;
  #process: ChildProcess | undefined;
  #output = '';
  #dataNumber = 0;
  #token: string | undefined;

  private constructor(
    command: string,
    options: EtcdServerOptions,
    state: { directory: TemporaryDirectory; ports: Ports; membership: Membership },
  ) {
    this.#command = command;
    this.#options = options;
    this.#directory = state.directory;
    this.#ports = state.ports;
    this.#membership = state.membership;
    this.#host = options.namespace?.address ?? '127.0.0.1';
  }

  /** Starts one server that is its own cluster. */
  static async start(command: string, options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const [server] = await EtcdServer.#create(command, 1, options);
    if (server === undefined) throw new Error('no server');
    await orDispose([server], () => server.start());
    return server;
  }

  /** Starts a cluster of several. */
  static async startCluster(command: string, size: number): Promise<readonly EtcdServer[]> {
    const servers = await EtcdServer.#create(command, size, {});
    await orDispose(servers, () => Promise.all(servers.map((server) => server.start())));
    return servers;
  }

  static async #create(
    command: string,
    size: number,
    options: EtcdServerOptions,
  ): Promise<readonly EtcdServer[]> {
    const numbers = await freePorts(4 * size);
    const at = (index: number): number => numbers[index] ?? 0;
    const ports = Array.from({ length: size }, (_, index) => ({
      client: at(4 * index),
      peer: at(4 * index + 1),
      secure: at(4 * index + 2),
      metrics: at(4 * index + 3),
    }));
    const initialCluster = ports
      .map(({ peer }, index) => `m${index}=http://127.0.0.1:${peer}`)
      .join(',');
    return Promise.all(
      ports.map(
        async (own, index) =>
          new EtcdServer(command, options, {
            directory: await createTemporaryDirectory('etcd'),
            ports: own,
            membership: { name: `m${index}`, initialCluster },
          }),
      ),
    );
  }

  get port(): number {
    return this.#ports.client;
  }

  get address(): string {
    return `http://${this.#host}:${this.#ports.client}`;
  }

  get secureAddress(): string {
    return `https://${this.#host}:${this.#ports.secure}`;
  }

  /** Starts the process on the data that it has and waits until it serves. */
  async start(): Promise<void> {
    await this.launch();
    await this.ready();
  }

  /** Starts the process only: a member without its majority does not become ready. */
  async launch(): Promise<void> {
    const { namespace, tls } = this.#options;
    for (const [name, pem] of Object.entries(tls ?? {})) {
      await writeFile(join(this.#directory.path, `${name}.pem`), pem);
    }
    const [command, ...before] = [...(namespace?.prefix ?? []), this.#command] as [string];
    const child = spawn(command, [...before, ...this.#arguments()], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    this.#output = '';
    const note = (chunk: Buffer): void => {
      this.#output = (this.#output + String(chunk)).slice(-4_000);
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
  }

  /** Waits until it serves and knows a leader. */
  async ready(): Promise<void> {
    const endMs = performance.now() + LIMIT_MS;
    while (performance.now() < endMs) {
      if (this.#process === undefined || this.#process.exitCode !== null) break;
      if (await this.#isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`etcd does not become ready:\n${this.#output}`);
  }

  /** Ends the process the hard way; its data stays. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exit;
  }

  /** The next start finds an empty folder. */
  loseData(): void {
    this.#dataNumber += 1;
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.kill();
    await this.#directory.remove();
  }

  async put(key: string, value: string): Promise<void> {
    await this.post('/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  async delete(key: string): Promise<void> {
    await this.post('/v3/kv/deleterange', { key: base64(key) });
  }

  /** Writes many keys, 100 at a time in a transaction, which is one revision: etcd takes no more than 128. */
  async putAll(entries: readonly (readonly [key: string, value: string])[]): Promise<void> {
    for (let start = 0; start < entries.length; start += 100) {
      const success = entries
        .slice(start, start + 100)
        .map(([key, value]) => ({ request_put: { key: base64(key), value: base64(value) } }));
      await this.post('/v3/kv/txn', { success });
    }
  }

  /** Value of a key; undefined when there is none. */
  async get(key: string): Promise<string | undefined> {
    const { kvs } = (await this.post('/v3/kv/range', { key: base64(key) })) as {
      kvs?: { value?: string }[];
    };
    const [found] = kvs ?? [];
    return found === undefined
      ? undefined
      : Buffer.from(found.value ?? '', 'base64').toString('utf8');
  }

  async revision(): Promise<bigint> {
    const { header } = (await this.post('/v3/kv/range', {
      key: base64('/'),
      count_only: true,
    })) as {
      header: { revision: string };
    };
    return BigInt(header.revision);
  }

  /** Forgets all history up to now. */
  async compact(): Promise<void> {
    await this.post('/v3/kv/compaction', { revision: String(await this.revision()) });
  }

  async isLeader(): Promise<boolean> {
    const { leader, header } = (await this.post('/v3/maintenance/status', {})) as {
      leader?: string;
      header: { member_id: string };
    };
    return leader === header.member_id;
  }

  /** Turns authentication on: `root` may do everything, `reader` read below `/services/`; the password of both is given. */
  async enableAuth(password: string): Promise<void> {
    const permission = { key: base64('/services/'), range_end: base64('/services0') };
    await this.post('/v3/auth/role/add', { name: 'root' });
    await this.post('/v3/auth/role/add', { name: 'reader' });
    await this.post('/v3/auth/role/grant', {
      name: 'reader',
      perm: { permType: 'READ', ...permission },
    });
    for (const name of ['root', 'reader']) {
      await this.post('/v3/auth/user/add', { name, password });
      await this.post('/v3/auth/user/grant', { user: name, role: name });
    }
    await this.post('/v3/auth/enable', {});
    await this.logIn(password);
  }

  /** What a test does from now on, it does as `root`. */
  async logIn(password: string): Promise<void> {
    this.#token = undefined;
    const { token } = (await this.post('/v3/auth/authenticate', { name: 'root', password })) as {
      token: string;
    };
    this.#token = token;
  }

  async post(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.address}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: this.#token === undefined ? {} : { authorization: this.#token },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  #arguments(): readonly string[] {
    const { peer, metrics } = this.#ports;
    const { name, initialCluster } = this.#membership;
    const { tls, flags = [] } = this.#options;
    const { path } = this.#directory;
    const urls = [this.address, ...(tls === undefined ? [] : [this.secureAddress])].join(',');
    return [
      ...[`--name=${name}`, `--data-dir=${join(path, `data-${this.#dataNumber}`)}`],
      ...[`--listen-client-urls=${urls}`, `--advertise-client-urls=${urls}`],
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=${initialCluster}`,
      `--listen-metrics-urls=http://${this.#host}:${metrics}`,
      ...(tls === undefined
        ? []
        : [
            ...[`--cert-file=${join(path, 'cert.pem')}`, `--key-file=${join(path, 'key.pem')}`],
            ...['--client-cert-auth', `--trusted-ca-file=${join(path, 'ca.pem')}`],
          ]),
      ...[...SPEED, '--logger=zap', '--log-level=error'],
      ...flags,
    ];
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`http://${this.#host}:${this.#ports.metrics}/health`);
      const { health } = (await response.json()) as { health: string };
      return health === 'true';
    } catch {
      return false;
    }
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function orDispose(
  servers: readonly EtcdServer[],
  start: () => Promise<unknown>,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    for (const server of servers) await server.dispose();
    throw error;
  }
}
