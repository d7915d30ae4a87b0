/** Real name servers on loopback, each with a directory and a port of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TYPE, u16, writeName } from './dns-wire.ts';

/** A server process that may be stopped and started again on the same port. */
export class NameServer {
  readonly port: number;
  readonly #command: string;
  readonly #argumentsOf: () => readonly string[];
  #process: ChildProcess | undefined;

  constructor(options: { command: string; port: number; argumentsOf: () => readonly string[] }) {
    this.port = options.port;
    this.#command = options.command;
    this.#argumentsOf = options.argumentsOf;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts the process and waits until it answers. */
  async start(): Promise<void> {
    const child = spawn(this.#command, this.#argumentsOf(), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (child.exitCode !== null) throw new Error(`${this.#command} ended: ${output}`);
      if (await answers(this.port)) return;
    }
    throw new Error(`${this.#command} does not answer: ${output}`);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

/** @param records dnsmasq options such as `--host-record=a.test,127.0.0.1`, read at every start */
export async function createDnsmasq(
  command: string,
  records: () => readonly string[],
): Promise<NameServer> {
  const port = await freePort();
  const fixed = [
    '--no-daemon',
    '--conf-file=/dev/null',
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    '--no-resolv',
    '--no-hosts',
    '--user=root',
    '--pid-file=',
    '--local=/test/',
  ];
  return new NameServer({ command, port, argumentsOf: () => [...fixed, ...records()] });
}

/** Unbound, whose records can be changed while it runs. */
export class Unbound {
  readonly server: NameServer;
  readonly #control: string;
  readonly #directory: string;

  private constructor(server: NameServer, paths: { control: string; directory: string }) {
    this.server = server;
    this.#control = paths.control;
    this.#directory = paths.directory;
  }

  /** Starts it with an empty zone `test.`, whose SOA record has a minimum of `negativeTtl` seconds. */
  static async start(
    commands: { unbound: string; control: string },
    options: { negativeTtl: number },
  ): Promise<Unbound> {
    const directory = await mkdtemp(join(tmpdir(), 'evenkeel-unbound-'));
    const port = await freePort();
    const config = join(directory, 'unbound.conf');
    const lines = [
      'server:',
      'chroot: ""',
      'username: ""',
      'pidfile: ""',
      `directory: "${directory}"`,
      'use-syslog: no',
      'do-daemonize: no',
      `interface: 127.0.0.1@${port}`,
      'local-zone: "test." static',
      `local-data: "test. 3600 IN SOA ns.test. root.test. 1 3600 600 86400 ${options.negativeTtl}"`,
      'remote-control:',
      'control-enable: yes',
      'control-use-cert: no',
      `control-interface: ${join(directory, 'control.sock')}`,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const server = new NameServer({
      command: commands.unbound,
      port,
      argumentsOf: () => ['-d', '-c', config],
    });
    await server.start();
    return new Unbound(server, { control: commands.control, directory });
  }

  /** Replaces all records of a name: `set('a.test.', ['1 IN A 127.0.0.1'])`. */
  async set(name: string, records: readonly string[]): Promise<void> {
    await this.#run(['local_data_remove', name]);
    const lines = records.map((record) => `${name} ${record}\n`);
    if (lines.length > 0) await this.#run(['local_datas'], lines.join(''));
  }

  async close(): Promise<void> {
    await this.server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #run(words: readonly string[], input = ''): Promise<void> {
    const config = join(this.#directory, 'unbound.conf');
    const running = promisify(execFile)(this.#control, ['-c', config, ...words]);
    running.child.stdin?.end(input);
    await running;
  }
}

/** A port free for UDP and TCP. Somebody else may take it before it is used, which shows at the start. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    socket.close();
    listener.close();
    await once(listener, 'close');
    if (bound) return port;
  }
  throw new Error('found no port that is free for UDP and TCP');
}

/** Does a server answer within 50 ms? */
async function answers(port: number): Promise<boolean> {
  const query = Buffer.concat([u16(1, 0x0100, 1, 0, 0, 0), writeName('test'), u16(TYPE.SOA, 1)]);
  const socket = createSocket('udp4');
  const answered = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), 50);
    const settle = (value: boolean): void => {
      // A refusal comes at once: wait out the 50 ms, or the attempts are used up before the server is there.
      if (value) clearTimeout(timer);
      if (value) resolve(true);
    };
    socket.on('error', () => settle(false));
    socket.on('message', () => settle(true));
    socket.connect(port, '127.0.0.1', () => socket.send(query, () => undefined));
  });
  socket.close();
  return answered;
}
