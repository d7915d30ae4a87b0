/**
 * Client, router, gateways and reals, each in a network namespace of this test, which ends with it:
 *
 *     client -- router -- gateway1, gateway2   (one arm each; the route to the VIPs says which one works)
 *                 |------ real1, real2, real3  (answer the client directly)
 *
 * The VIPs are routed nowhere else.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const VIP = '10.200.1.1';
export const OTHER_VIP = '10.200.1.2';

const FORWARDER_SUPPORT = join(import.meta.dirname, '../../forwarder/test-support');
const BIN = join(import.meta.dirname, '../../../bin/evenkeel-gateway.js');

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}: ${stderr}`);
}

/** A process with what it has printed so far. */
export class LabProcess {
  readonly child: ChildProcess;
  #output = '';
  #errors = '';
  readonly #waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    const note = (): void => {
      for (const look of this.#waiting) look();
    };
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
      note();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
      note();
    });
    child.on('exit', note);
  }

  get output(): string {
    return this.#output;
  }

  /** What it wrote to its log. */
  get errors(): string {
    return this.#errors;
  }

  /** Resolves when output or log has the text. @throws Error when it ends first, or after the limit */
  async said(text: string | RegExp, limitMs = 15_000): Promise<void> {
    const has = (): boolean =>
      typeof text === 'string'
        ? this.#output.includes(text) || this.#errors.includes(text)
        : text.test(this.#output) || text.test(this.#errors);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string): void =>
      reject(new Error(`${why} without ${String(text)}: ${this.#output}${this.#errors}`));
    const look = (): void => {
      if (has()) resolve();
      else if (this.child.exitCode !== null) fail(`ended with ${this.child.exitCode}`);
    };
    const timer = setTimeout(() => fail(`${limitMs} ms`), limitMs);
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** @returns the exit code, null after a signal that it did not handle */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }
}

export interface EdgeLabOptions {
  readonly reals?: number;
  readonly gateways?: number;
}

export class EdgeLab {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'evenkeel-edge-'));
  /** Names of what gateways leave in the kernel are the machine's, so they carry this test's number. */
  readonly #prefix = `eg${process.pid}`;
  readonly #namespaces: string[] = [];
  readonly #processes: LabProcess[] = [];
  /** What the router's ends of the cables to the gateways need, by gateway. */
  readonly routerPrograms: LabProcess[] = [];
  readonly #realCount: number;
  readonly #gatewayCount: number;

  constructor({ reals = 3, gateways = 1 }: EdgeLabOptions = {}) {
    this.#realCount = reals;
    this.#gatewayCount = gateways;
  }

  get reals(): string[] {
    return Array.from({ length: this.#realCount }, (_, index) => `10.3.${index + 1}.2`);
  }

  /** Lays wires and starts the reals. */
  async start(): Promise<void> {
    const reals = this.reals.map((_, index) => `real${index + 1}`);
    const gateways = Array.from(
      { length: this.#gatewayCount },
      (_, index) => `gateway${index + 1}`,
    );
    for (const name of ['client', 'router', ...gateways, ...reals]) this.#addNamespace(name);
    this.#connect('client', '10.1.0', 1_500);
    gateways.forEach((name, index) => this.#connect(name, `10.2.${index + 1}`, 1_600));
    reals.forEach((name, index) => this.#connect(name, `10.3.${index + 1}`, 1_600));
    this.in('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    for (const device of ['all', 'default', 'client', ...gateways, ...reals]) {
      this.in('router', 'sysctl', '-qw', `net.ipv4.conf.${device}.rp_filter=0`);
    }
    this.routeTo(1);
    // XDP forwards a frame as it finds it: the checksum has to be there, not left to hardware.
    this.#support('client', 'checksum-off.ts', 'eth0');
    for (const gateway of gateways) {
      this.#support('router', 'checksum-off.ts', gateway);
      const helper = this.spawnNode('router', 'attach-process.ts', gateway, 'pass');
      await helper.said('ready');
      this.routerPrograms.push(helper);
    }
    await Promise.all(reals.map((name) => this.#setUpReal(name)));
  }

  async #setUpReal(name: string): Promise<void> {
    const vips = [VIP, OTHER_VIP].flatMap((vip) => ['--vip', vip]);
    const state = ['--state', join(this.folder, name)];
    const command = [...node(BIN), 'real', ...vips, '--interface', 'eth0', ...state];
    await this.#spawn(name, command).said(/\S\n/u);
  }

  /** From now on packets for the VIPs go through this gateway. */
  routeTo(gateway: number): void {
    for (const vip of [VIP, OTHER_VIP]) {
      this.in('router', 'ip', 'route', 'replace', `${vip}/32`, 'via', `10.2.${gateway}.2`);
    }
  }

  in(name: string, command: string, ...args: string[]): string {
    return run('nsenter', `--net=${this.netns(name)}`, command, ...args);
  }

  netns(name: string): string {
    return `/run/netns/${this.#prefix}-${name}`;
  }

  /** The name that a gateway's configuration has to carry. */
  gatewayName(gateway = 1): string {
    return `${this.#prefix}-${gateway}`;
  }

  /** Starts a script of this folder, or of the forwarder's, in a namespace. */
  spawnNode(name: string, file: string, ...args: string[]): LabProcess {
    const folder = file.startsWith('edge-') ? import.meta.dirname : FORWARDER_SUPPORT;
    return this.#spawn(name, [...node(join(folder, file)), ...args]);
  }

  /** Starts `evenkeel-gateway` in a gateway's namespace. */
  spawnCommand(gateway: number, ...args: string[]): LabProcess {
    return this.#spawn(`gateway${gateway}`, [...node(BIN), ...args]);
  }

  /** Runs `evenkeel-gateway` to its end. */
  async command(
    gateway: number,
    ...args: string[]
  ): Promise<{ code: number | null; output: string; errors: string }> {
    const started = this.spawnCommand(gateway, ...args);
    await once(started.child, 'close');
    const { output, errors, child } = started;
    return { code: child.exitCode, output, errors };
  }

  /** Writes a file whole, as editors and configuration management do; returns its path. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  /** What a client's requests got; see `client-process.ts`. */
  ask(what: string, count: number): string {
    return this.#support('client', 'client-process.ts', VIP, what, String(count));
  }

  /** Runs a script of this folder in a namespace, to its end. */
  run(name: string, file: string, ...args: string[]): string {
    const [command = '', ...rest] = node(join(import.meta.dirname, file));
    return this.in(name, command, ...rest, ...args).trim();
  }

  /** Name of the real that a connection from a port of the client gets. */
  realOf(localPort: number): string {
    return this.run('client', 'edge-ask.ts', VIP, String(localPort));
  }

  async close(): Promise<void> {
    // In the order that keeps what others need until they are gone.
    for (const one of this.#processes.toReversed()) {
      one.child.stdin?.end();
      await one.end(one.child.exitCode === null ? 'SIGTERM' : 'SIGKILL');
    }
    for (let gateway = 1; gateway <= this.#gatewayCount; gateway += 1) {
      rmSync(join('/sys/fs/bpf/evenkeel', this.gatewayName(gateway)), {
        recursive: true,
        force: true,
      });
    }
    for (const name of this.#namespaces) run('ip', 'netns', 'del', name);
    rmSync(this.folder, { recursive: true });
  }

  #addNamespace(name: string): void {
    const full = `${this.#prefix}-${name}`;
    run('ip', 'netns', 'add', full);
    this.#namespaces.push(full);
    run('ip', '-n', full, 'link', 'set', 'lo', 'up');
  }

  #connect(name: string, network: string, mtu: number): void {
    const full = (which: string): string => `${this.#prefix}-${which}`;
    const ends = ['eth0', 'netns', full(name), 'type', 'veth', 'peer', 'name', name];
    run('ip', 'link', 'add', ...ends, 'netns', full('router'));
    for (const [namespace, device, host] of [
      [name, 'eth0', 2],
      ['router', name, 1],
    ] as const) {
      const at = ['-n', full(namespace)];
      run('ip', ...at, 'addr', 'add', `${network}.${host}/24`, 'dev', device);
      run('ip', ...at, 'link', 'set', device, 'up', 'mtu', String(mtu));
    }
    run('ip', '-n', full(name), 'route', 'add', 'default', 'via', `${network}.1`);
  }

  #support(name: string, file: string, ...args: string[]): string {
    const [command = '', ...rest] = [...node(join(FORWARDER_SUPPORT, file)), ...args];
    return this.in(name, command, ...rest).trim();
  }

  /**
   * A card sends the packets of a flow to one CPU, whose cache remembers it. A virtual wire has them handled by the CPU of
   * whoever sent last, probes of gateways included: so all of them have the same one.
   */
  #spawn(name: string, command: readonly string[]): LabProcess {
    const entered = ['nsenter', `--net=${this.netns(name)}`, ...command];
    const child = spawn('taskset', ['-c', firstCpu(), ...entered], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const started = new LabProcess(child);
    this.#processes.push(started);
    return started;
  }
}

/** A CPU that this process may use. */
function firstCpu(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\d+)/mu.exec(status)?.[1] ?? '0';
}

function node(file: string): string[] {
  return [process.execPath, '--conditions=@evenkeel/source', file];
}
