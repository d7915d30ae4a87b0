/**
 * Client, router, gateway and two reals, each in a network namespace of this test, with IPv4 and IPv6:
 *
 *     client -- router -- gateway (one arm)
 *                 |---- real 1, real 2
 *
 * Addresses are routed nowhere else, and every process ends with the test.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const VIPS = { 4: '10.200.1.1', 6: 'fd00:200::1' } as const;
/** Sources that NAT takes; the router sends answers to them to the gateway. */
export const NAT_SOURCES = { 4: '10.201.1.1', 6: 'fd00:201::1' } as const;
export const REALS = {
  4: ['10.3.1.2', '10.3.2.2'],
  6: ['fd00:3:1::2', 'fd00:3:2::2'],
} as const;
export const REAL_NAMES = ['real1', 'real2'] as const;
export type RealName = (typeof REAL_NAMES)[number];
export const ROUTER_MAC = '02:00:00:00:02:01';

export type Node = 'client' | 'router' | 'gateway' | RealName;

export interface LabOptions {
  /** Of all links but the client's, which has 1500. Default 1600. */
  readonly mtu?: number;
  /** Gateway and reals on one link, a bridge at the router. Default false: each on a link of its own. */
  readonly isFlat?: boolean;
}

export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}: ${stderr}`);
}

let labs = 0;

export class Lab {
  readonly #prefix: string;
  readonly #namespaces: Node[] = [];
  readonly #processes: ChildProcess[] = [];

  constructor(options: LabOptions = {}) {
    this.#prefix = `el${process.pid}x${labs}`;
    labs += 1;
    try {
      this.#lay(options);
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  #lay({ mtu = 1_600, isFlat = false }: LabOptions): void {
    for (const name of ['client', 'router', 'gateway', ...REAL_NAMES] as const) {
      run('ip', 'netns', 'add', this.#full(name));
      this.#namespaces.push(name);
      run('ip', '-n', this.#full(name), 'link', 'set', 'lo', 'up');
    }
    for (const setting of ['ipv4.ip_forward=1', 'ipv6.conf.all.forwarding=1']) {
      this.in('router', 'sysctl', '-qw', `net.${setting}`);
    }
    this.#connect('client', ['10.1.0', 'fd00:1:0'], 1_500);
    this.#connect('gateway', ['10.2.0', 'fd00:2:0'], mtu);
    this.#connect('real1', ['10.3.1', 'fd00:3:1'], mtu);
    this.#connect('real2', ['10.3.2', 'fd00:3:2'], mtu);
    if (isFlat) this.#bridge(mtu);
    else this.in('router', 'ip', 'link', 'set', 'gateway', 'address', ROUTER_MAC);
    // The tunnel's source is routed nowhere, and answers come from the VIP: both fail the reverse path filter.
    for (const device of ['all', 'default', 'client', 'gateway', ...REAL_NAMES]) {
      this.in('router', 'sysctl', '-qw', `net.ipv4.conf.${device}.rp_filter=0`);
    }
    for (const to of [VIPS[4], NAT_SOURCES[4]]) {
      this.in('router', 'ip', 'route', 'add', `${to}/32`, 'via', '10.2.0.2');
    }
    const gatewayMac = this.macOf('gateway');
    this.in(
      'router',
      'ip',
      'neigh',
      'replace',
      'fd00:2:0::2',
      'lladdr',
      gatewayMac,
      'dev',
      'gateway',
    );
    for (const to of [VIPS[6], NAT_SOURCES[6]]) {
      this.in('router', 'ip', '-6', 'route', 'add', `${to}/128`, 'via', 'fd00:2:0::2');
    }
    // XDP forwards a frame as it finds it: the checksum has to be there, not left to hardware.
    this.node('client', ['forwarder', 'checksum-off.ts'], 'eth0');
    this.node('router', ['forwarder', 'checksum-off.ts'], 'gateway');
    for (const name of REAL_NAMES) this.node(name, ['forwarder', 'checksum-off.ts'], 'eth0');
  }

  /** The MAC of a node's interface towards the router. */
  macOf(name: Node): string {
    // Not by /sys, which shows the namespace that it was mounted in.
    const text = this.in(name, 'ip', '-j', 'link', 'show', 'eth0');
    return (JSON.parse(text) as [{ address: string }])[0].address;
  }

  in(name: Node, command: string, ...args: string[]): string {
    return run(...this.#command(name, command, args));
  }

  /** Runs a script of a test-support folder to its end, and returns what it printed. */
  node(name: Node, file: readonly [folder: string, name: string], ...args: string[]): string {
    return this.in(name, process.execPath, ...script(file), ...args).trim();
  }

  /** Starts a script; resolves when it says that it is ready, or fails when it ends. */
  async start(
    name: Node,
    file: readonly [folder: string, name: string],
    ...args: string[]
  ): Promise<LabProcess> {
    const command = this.#command(name, process.execPath, [...script(file), ...args]);
    const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#processes.push(child);
    const started = new LabProcess(child);
    started.greeting.push(...(await started.until('ready')));
    return started;
  }

  /** Ends all processes, then removes the namespaces. */
  async close(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.stdin?.end();
      await exit;
    }
    this.#remove();
  }

  #remove(): void {
    for (const name of this.#namespaces.splice(0)) run('ip', 'netns', 'del', this.#full(name));
  }

  #full(name: Node): string {
    return `${this.#prefix}-${name}`;
  }

  #command(name: Node, command: string, args: readonly string[]): [string, ...string[]] {
    return ['nsenter', `--net=/run/netns/${this.#full(name)}`, command, ...args];
  }

  /** Puts the links of gateway and reals together; the router's addresses on them move to the bridge. */
  #bridge(mtu: number): void {
    const ip = (...args: string[]): string => this.in('router', 'ip', ...args);
    ip('link', 'add', 'flat', 'address', ROUTER_MAC, 'type', 'bridge');
    for (const [name, net4, net6] of [
      ['gateway', '10.2.0', 'fd00:2:0'],
      ['real1', '10.3.1', 'fd00:3:1'],
      ['real2', '10.3.2', 'fd00:3:2'],
    ] as const) {
      ip('addr', 'flush', 'dev', name);
      ip('link', 'set', name, 'master', 'flat');
      ip('addr', 'add', `${net4}.1/24`, 'dev', 'flat');
      ip('addr', 'add', `${net6}::1/64`, 'dev', 'flat', 'nodad');
    }
    ip('link', 'set', 'flat', 'up', 'mtu', String(mtu));
    this.in('router', 'sysctl', '-qw', 'net.ipv4.conf.flat.rp_filter=0');
  }

  #connect(name: Node, [network4, network6]: readonly [string, string], mtu: number): void {
    const ends = ['eth0', 'netns', this.#full(name), 'type', 'veth', 'peer', 'name', name];
    run('ip', 'link', 'add', ...ends, 'netns', this.#full('router'));
    for (const [node, device, host] of [
      [name, 'eth0', 2],
      ['router', name, 1],
    ] as const) {
      const at = ['-n', this.#full(node)];
      run('ip', ...at, 'addr', 'add', `${network4}.${host}/24`, 'dev', device);
      run('ip', ...at, 'addr', 'add', `${network6}::${host}/64`, 'dev', device, 'nodad');
      run('ip', ...at, 'link', 'set', device, 'up', 'mtu', String(mtu));
    }
    run('ip', '-n', this.#full(name), 'route', 'add', 'default', 'via', `${network4}.1`);
    run('ip', '-n', this.#full(name), '-6', 'route', 'add', 'default', 'via', `${network6}::1`);
  }
}

/** A process of the lab, which answers lines with lines. */
export class LabProcess {
  readonly child: ChildProcess;
  /** What it said until it was ready. */
  readonly greeting: string[] = [];
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;
  #rest = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      const parts = (this.#rest + String(chunk)).split('\n');
      this.#rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      this.#wake?.();
    });
    child.on('exit', () => this.#wake?.());
  }

  /** The next line. */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** Lines up to and including the one that begins with this word. */
  async until(word: string): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      lines.push(line);
      if (line.startsWith(word)) return lines;
    }
  }

  async ask<T>(request: unknown): Promise<T> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(await this.line()) as T;
  }

  /** Ends it properly, and returns what it said at last. */
  async end(): Promise<string[]> {
    const exit = once(this.child, 'exit');
    this.child.stdin?.end();
    await exit;
    return this.#lines.splice(0);
  }
}

function script([folder, name]: readonly [string, string]): string[] {
  const path = join(import.meta.dirname, '../..', folder, 'test-support', name);
  return ['--conditions=@evenkeel/source', path];
}
