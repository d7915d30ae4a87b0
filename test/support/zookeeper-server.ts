/** Real ZooKeeper servers on loopback, in folders of their own: started, paused, killed, started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { createTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';

export interface ZookeeperServerOptions {
  /** The server runs in there, and is reached at the inner address. Default: this host's loopback. */
  readonly namespace?: NetworkNamespace | undefined;
}

/** Longest wait for a server to serve: it takes 0.5 s, and some more where everything runs at once. */
const LIMIT_MS = 40_000;
const CLASS_PATH = '/usr/share/java/zookeeper.jar';
const MAIN_CLASS = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
/** Starts quickly and stays small. Read-only mode is what a server does that has lost its ensemble. */
const JAVA_FLAGS = [
  ...['-Xmx160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  ...['-Dreadonlymode.enabled=true', '-Dzookeeper.forceSync=no'],
];

/** A member that has lost the others gives sessions for reading only where sessions need not be agreed upon. */
const ENSEMBLE_SETTINGS = [
  ...['initLimit=10', 'syncLimit=4'],
  ...['localSessionsEnabled=true', 'localSessionsUpgradingEnabled=true'],
];

/** What a member of an ensemble needs to know besides its own ports. */
interface Membership {
  readonly id: number;
  /** `host:quorum port:election port` of each, from 1 on. */
  readonly members: readonly string[];
}

export class ZookeeperServer {
  readonly port: number;
  readonly #host: string;
  readonly #options: ZookeeperServerOptions;
  readonly #directory: TemporaryDirectory;
  readonly #membership: Membership | undefined;
  #process: ChildProcess | undefined;
  #dataNumber = 0;

  private constructor(
    options: ZookeeperServerOptions,
    state: { directory: TemporaryDirectory; port: number; membership?: Membership },
  ) {
    this.#options = options;
    this.#directory = state.directory;
    this.#host = options.namespace?.address ?? '127.0.0.1';
    this.port = state.port;
    this.#membership = state.membership;
  }

  /** Starts one server that is its own ensemble. */
  static async start(options: ZookeeperServerOptions = {}): Promise<ZookeeperServer> {
    const [port = 0] = await freePorts(1);
    const directory = await createTemporaryDirectory('zookeeper');
    const server = new ZookeeperServer(options, { directory, port });
    await orDispose([server], () => server.start());
    return server;
  }

  /** Starts an ensemble. */
  static async startEnsemble(size: number): Promise<ZookeeperServer[]> {
    const ports = await freePorts(3 * size);
    const members = Array.from(
      { length: size },
      (_, index) => `127.0.0.1:${ports[size + index]}:${ports[2 * size + index]}`,
    );
    const servers: ZookeeperServer[] = [];
    for (let index = 0; index < size; index += 1) {
      const directory = await createTemporaryDirectory('zookeeper');
      const membership = { id: index + 1, members };
      servers.push(new ZookeeperServer({}, { directory, port: ports[index] ?? 0, membership }));
    }
    await orDispose(servers, () => Promise.all(servers.map((server) => server.start())));
    return servers;
  }

  /** `host:port` for clients. */
  get address(): string {
    return `${this.#host}:${this.port}`;
  }

  /** Starts the process on the data that it has and waits until it serves. */
  async start(): Promise<void> {
    const data = join(this.#directory.path, `data-${this.#dataNumber}`);
    await mkdir(data, { recursive: true });
    const config = join(this.#directory.path, 'zoo.cfg');
    await writeFile(config, this.#configWith(data));
    if (this.#membership !== undefined) {
      await writeFile(join(data, 'myid'), `${this.#membership.id}\n`);
    }
    const java = ['java', ...JAVA_FLAGS, '-cp', CLASS_PATH, MAIN_CLASS, config];
    const [command = '', ...args] = [...(this.#options.namespace?.prefix ?? []), ...java];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let output = '';
    const note = (chunk: Buffer): void => void (output = (output + String(chunk)).slice(-4_000));
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    const endMs = performance.now() + LIMIT_MS;
    while (performance.now() < endMs) {
      if (child.exitCode !== null) break;
      if ((await this.mode()) !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`ZooKeeper does not become ready:\n${output}`);
  }

  /** `standalone`, `leader`, `follower`, `read-only`; undefined while it does not serve. */
  async mode(): Promise<string | undefined> {
    return /^Mode: (.+)$/m.exec(await this.ask('srvr'))?.[1];
  }

  /** The answer to one of ZooKeeper's four-letter words; '' when there is none. */
  ask(word: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect({ host: this.#host, port: this.port }, () => socket.write(word));
      socket.setTimeout(2_000, () => socket.destroy());
      socket.on('data', (chunk) => void (answer += String(chunk)));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(answer));
    });
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

  #configWith(data: string): string {
    const ensemble = this.#membership;
    return [
      'tickTime=500',
      `dataDir=${data}`,
      `clientPort=${this.port}`,
      `clientPortAddress=${this.#host}`,
      'admin.enableServer=false',
      '4lw.commands.whitelist=*',
      'maxClientCnxns=0',
      'minSessionTimeout=500',
      ...(ensemble === undefined ? [] : ENSEMBLE_SETTINGS),
      ...(ensemble?.members.map((member, index) => `server.${index + 1}=${member}`) ?? []),
      '',
    ].join('\n');
  }
}

async function orDispose(
  servers: readonly ZookeeperServer[],
  start: () => Promise<unknown>,
): Promise<void> {
  try {
    await start();
  } catch (error) {
    await Promise.all(servers.map((server) => server.dispose()));
    throw error;
  }
}
