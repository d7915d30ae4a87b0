/** Machines that are network namespaces of this one, for examples that need several. Takes root and `ip`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

export class Machines {
  readonly #names: string[] = [];
  readonly #processes: ChildProcess[] = [];
  readonly #prefix = `demo${process.pid}`;

  add(...names: readonly string[]): void {
    for (const name of names) {
      run('ip', 'netns', 'add', this.#full(name));
      this.#names.push(name);
      run('ip', '-n', this.#full(name), 'link', 'set', 'lo', 'up');
    }
  }

  /** A wire from `eth0` of a machine to the router, which has `.1` of the network and its default route. */
  wire(name: string, network: string, mtu: number): void {
    const peer = ['type', 'veth', 'peer', 'name', name, 'netns', this.#full('router')];
    run('ip', 'link', 'add', 'eth0', 'netns', this.#full(name), ...peer);
    for (const [machine, device, host] of [
      [name, 'eth0', 2],
      ['router', name, 1],
    ] as const) {
      this.in(machine, 'ip', 'address', 'add', `${network}.${host}/24`, 'dev', device);
      this.in(machine, 'ip', 'link', 'set', device, 'up', 'mtu', String(mtu));
    }
    this.in(name, 'ip', 'route', 'add', 'default', 'via', `${network}.1`);
  }

  /** Runs a program on a machine to its end. @returns what it printed */
  in(name: string, ...command: readonly string[]): string {
    return run('nsenter', `--net=/run/netns/${this.#full(name)}`, ...command);
  }

  /** Starts a program on a machine, and waits until it has printed a text. */
  async start(name: string, text: string, ...command: readonly string[]): Promise<ChildProcess> {
    const child = spawn('nsenter', [`--net=/run/netns/${this.#full(name)}`, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#processes.push(child);
    let said = '';
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const note = (chunk: Buffer): void => {
      said += chunk.toString();
      if (said.includes(text)) resolve();
    };
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    child.on('exit', () => reject(new Error(`${command.join(' ')} ended: ${said}`)));
    await promise;
    return child;
  }

  /** Ends everything, last things first. */
  async close(): Promise<void> {
    for (const child of this.#processes.toReversed()) await end(child);
    for (const name of this.#names) run('ip', 'netns', 'del', this.#full(name));
  }

  #full(name: string): string {
    return `${this.#prefix}-${name}`;
  }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}: ${error?.message ?? stderr}`);
}
