/**
 * Client, router, gateway and two reals, each in a network namespace of this test:
 *
 *     client -- router -- gateway (one arm)
 *                 |---- real 1, real 2   (answer the client directly)
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const VIP = '10.200.1.1';
export const REALS = ['10.3.1.2', '10.3.2.2'] as const;
const ROUTER_TO_GATEWAY_MAC = '02:00:00:00:02:01';

export function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}: ${stderr}`);
}

export class Topology {
  readonly #prefix = `ek${process.pid}`;
  readonly #namespaces: string[] = [];
  readonly #processes: ChildProcess[] = [];

  #lay(): void {
    for (const name of ['client', 'router', 'gateway', 'real1', 'real2']) {
      run('ip', 'netns', 'add', this.#full(name));
      this.#namespaces.push(name);
      run('ip', '-n', this.#full(name), 'link', 'set', 'lo', 'up');
    }
    this.#connect('client', '10.1.0', 1_500);
    this.#connect('gateway', '10.2.0', 1_600);
    this.#connect('real1', '10.3.1', 1_600);
    this.#connect('real2', '10.3.2', 1_600);
    this.in('router', 'ip', 'link', 'set', 'gateway', 'address', ROUTER_TO_GATEWAY_MAC);
    this.in('router', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    // The tunnel's source is routed nowhere, and answers come from the VIP: both fail the reverse path filter.
    for (const device of ['all', 'default', 'client', 'gateway', 'real1', 'real2']) {
      this.in('router', 'sysctl', '-qw', `net.ipv4.conf.${device}.rp_filter=0`);
    }
    this.in('router', 'ip', 'route', 'add', `${VIP}/32`, 'via', '10.2.0.2');
    for (const name of ['real1', 'real2']) {
      this.in(name, 'ip', 'addr', 'add', `${VIP}/32`, 'dev', 'lo');
      const settings = ['all.rp_filter=0', 'eth0.rp_filter=0', 'all.arp_ignore=1'];
      for (const setting of settings) this.in(name, 'sysctl', '-qw', `net.ipv4.conf.${setting}`);
    }
    // XDP forwards a frame as it finds it: the checksum has to be there, not left to hardware.
    this.node('client', 'checksum-off.ts', 'eth0');
    this.node('router', 'checksum-off.ts', 'gateway');
  }

  in(name: string, command: string, ...args: string[]): string {
    return run('nsenter', `--net=/run/netns/${this.#full(name)}`, command, ...args);
  }

  /** Runs a script beside this file to its end, and returns what it printed. */
  node(name: string, file: string, ...args: string[]): string {
    return this.in(name, process.execPath, ...script(file), ...args).trim();
  }

  /** Everything that has to run; resolves when it does, with the gateway. */
  async start(): Promise<ChildProcess> {
    this.#lay();
    await this.#spawn('router', 'attach-process.ts', 'gateway', 'pass');
    for (const name of ['real1', 'real2']) {
      await this.#spawn(name, 'attach-process.ts', 'eth0', 'decapsulate');
      await this.#spawn(name, 'web-process.ts', VIP, name);
    }
    const gateway = ['eth0', ROUTER_TO_GATEWAY_MAC, VIP, ...REALS];
    return this.#spawn('gateway', 'gateway-process.ts', ...gateway);
  }

  async close(): Promise<void> {
    for (const child of this.#processes) {
      if (child.exitCode !== null) continue;
      child.stdin?.end();
      await once(child, 'exit');
    }
    for (const name of this.#namespaces) run('ip', 'netns', 'del', this.#full(name));
  }

  #full(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  #connect(name: string, network: string, mtu: number): void {
    const ends = ['eth0', 'netns', this.#full(name), 'type', 'veth', 'peer', 'name', name];
    run('ip', 'link', 'add', ...ends, 'netns', this.#full('router'));
    for (const [namespace, device, host] of [
      [name, 'eth0', 2],
      ['router', name, 1],
    ] as const) {
      const at = ['-n', this.#full(namespace)];
      run('ip', ...at, 'addr', 'add', `${network}.${host}/24`, 'dev', device);
      run('ip', ...at, 'link', 'set', device, 'up', 'mtu', String(mtu));
    }
    run('ip', '-n', this.#full(name), 'route', 'add', 'default', 'via', `${network}.1`);
  }

  async #spawn(name: string, file: string, ...args: string[]): Promise<ChildProcess> {
    const node = [process.execPath, ...script(file), ...args];
    const child = spawn('nsenter', [`--net=/run/netns/${this.#full(name)}`, ...node], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#processes.push(child);
    const exit = once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with ${String(code)}`);
    });
    await Promise.race([once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'), exit]);
    exit.catch(() => undefined);
    return child;
  }
}

function script(file: string): string[] {
  return ['--conditions=@evenkeel/source', join(import.meta.dirname, file)];
}
