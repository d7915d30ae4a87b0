/**
 * A network of this test's own, each machine a network namespace:
 *
 *     client -- access -- router -- gateway1, gateway2   one arm each; equal routes to the VIPs (ECMP)
 *     attacker -------------|------ real1, real2, real3  answer the client directly
 *
 * Nothing in it is routed elsewhere. Whatever goes wrong while it is laid ends the test, and everything that was started
 * or made is ended and removed by {@link Lab.close}.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../support/run-process.ts';
import { LabProcess } from './lab-process.ts';

export type Family = 4 | 6;
export const FAMILIES = [4, 6] as const;
export type GatewayName = 'gateway1' | 'gateway2';
export const GATEWAYS = ['gateway1', 'gateway2'] as const;
export type RealName = 'real1' | 'real2' | 'real3';
export const REALS = ['real1', 'real2', 'real3'] as const;
export type Machine = 'client' | 'access' | 'router' | 'attacker' | GatewayName | RealName;

/** A virtual address; there may be as many as one likes. */
export const vip = (family: Family, number = 1): string =>
  family === 4 ? `10.200.1.${number}` : `fd00:200::${number}`;
export const realAddress = (family: Family, name: RealName): string =>
  family === 4 ? `10.3.${name.at(-1)}.2` : `fd00:3:${name.at(-1)}::2`;
/** What a gateway sends from in NAT mode. */
export const natAddress = (family: Family, name: GatewayName): string =>
  family === 4 ? `10.201.${name.at(-1)}.1` : `fd00:201:${name.at(-1)}::1`;
/** Sources that the attacker makes up; what is sent there vanishes. */
export const SPOOFED = '10.66.0.0/16';

const PACKAGE = join(repositoryRoot, 'packages/l4-gateway');
const BIN = join(PACKAGE, 'bin/evenkeel-gateway.js');
const FORWARDER_SUPPORT = join(PACKAGE, 'src/forwarder/test-support');
/** Room for the outer headers. */
const INNER_MTU = 1_600;

function run(command: readonly string[], input = ''): string {
  const [file = '', ...args] = command;
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    timeout: 20_000,
    input,
  });
  if (status === 0) return stdout;
  throw new Error(`${command.join(' ')}: ${error?.message ?? stderr}\n${input}`);
}

/** A CPU that this process may use. */
function firstCpu(): string {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\d+)/mu.exec(status)?.[1] ?? '0';
}

const node = (file: string): string[] => [process.execPath, '--conditions=@evenkeel/source', file];

export class Lab {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'evenkeel-e2e-'));
  /** Namespaces and pins are the machine's, so their names carry this test's number. */
  readonly #prefix = `e2e${process.pid}`;
  readonly #machines: Machine[] = [];
  readonly #processes: LabProcess[] = [];

  /** Lays the network. @throws Error when any of it fails */
  async lay(): Promise<void> {
    this.#add('client', 'access', 'router', 'attacker', ...GATEWAYS, ...REALS);
    this.#wire(['client', 'eth0'], ['access', 'client'], { network: '1:0', mtu: 1_500 });
    this.#wire(['access', 'eth0'], ['router', 'access'], { network: '1:1', mtu: 1_500 });
    this.#wire(['attacker', 'eth0'], ['router', 'attacker'], { network: '4:0', mtu: 1_500 });
    for (const [index, name] of GATEWAYS.entries()) {
      this.#wire([name, 'eth0'], ['router', name], { network: `2:${index + 1}`, mtu: INNER_MTU });
    }
    for (const [index, name] of REALS.entries()) {
      this.#wire([name, 'eth0'], ['router', name], { network: `3:${index + 1}`, mtu: INNER_MTU });
    }
    this.#route();
    // XDP at a gateway's end of a virtual wire takes a program and filled-in checksums at the other end.
    const started: LabProcess[] = [];
    for (const name of GATEWAYS) {
      const [pass, filled] = ['attach-process.ts', 'checksum-off.ts'].map((file) =>
        node(join(FORWARDER_SUPPORT, file)),
      ) as [string[], string[]];
      started.push(this.#spawn('router', [...pass, name, 'pass']));
      this.in('router', ...filled, name);
    }
    await Promise.all(started.map((one) => one.said('ready')));
  }

  /** The names that a gateway leaves in the kernel. */
  gatewayName(name: GatewayName): string {
    return `${this.#prefix}-${name}`;
  }

  /** Which gateways the router sends packets for VIPs to. */
  routeVia(...gateways: readonly GatewayName[]): void {
    const hops = (family: Family): string =>
      gateways.map((name) => `nexthop via ${hostOf(family, `2:${name.at(-1)}`, 2)}`).join(' ');
    this.ip('router', `route replace 10.200.1.0/24 ${hops(4)}`);
    this.ip('router', `-6 route replace fd00:200::/64 ${hops(6)}`);
  }

  /** Sends packets for one VIP to one gateway. */
  routeVip(address: string, gateway: GatewayName): void {
    const family = address.includes(':') ? 6 : 4;
    const hop = hostOf(family, `2:${gateway.at(-1)}`, 2);
    this.ip('router', `${family === 6 ? '-6 ' : ''}route replace ${address} via ${hop}`);
  }

  /** The MTU of a wire to the router, both ends. */
  setMtu(machine: Exclude<Machine, 'client' | 'router'>, mtu: number): void {
    this.ip(machine, `link set eth0 mtu ${mtu}`);
    this.ip('router', `link set ${machine} mtu ${mtu}`);
  }

  /** Runs `ip` on a machine, once for each line. */
  ip(machine: Machine, ...lines: readonly string[]): void {
    for (const family of FAMILIES) {
      const flag = '-6 ';
      const own = lines.filter((line) => line.startsWith(flag) === (family === 6));
      const batch = own.map((line) => line.replace(flag, '')).join('\n');
      if (own.length > 0)
        run(['ip', `-${family}`, '-n', this.#full(machine), '-batch', '-'], batch);
    }
  }

  /** Runs a program on a machine to its end. @returns what it printed */
  in(machine: Machine, ...command: readonly string[]): string {
    return run(['nsenter', `--net=/run/netns/${this.#full(machine)}`, ...command]);
  }

  /** Starts `evenkeel-gateway`. */
  spawnCommand(machine: Machine, ...args: readonly string[]): LabProcess {
    return this.#spawn(machine, [...node(BIN), ...args]);
  }

  /** Starts a script of this folder. */
  spawnScript(machine: Machine, file: string, ...args: readonly string[]): LabProcess {
    return this.#spawn(machine, [...node(join(import.meta.dirname, file)), ...args]);
  }

  /** Starts the servers of reals, in the order of the names. The reals have their VIPs already. */
  async startServers(names: readonly RealName[] = REALS): Promise<LabProcess[]> {
    const started = names.map((name) => this.spawnScript(name, 'server-process.ts', name));
    await Promise.all(started.map((one) => one.said('ready')));
    return started;
  }

  /** Writes a file whole, as editors and configuration management do; returns its path. */
  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  }

  /**
   * Ends what was started, the last first, and removes what was made. Idempotent.
   *
   * @throws Error when some of it cannot be removed, after all the rest has been
   */
  async close(): Promise<void> {
    for (const one of this.#processes.splice(0).toReversed()) {
      one.child.stdin?.end();
      await one.end();
    }
    const errors: unknown[] = [];
    const attempt = (remove: () => unknown): void => {
      try {
        remove();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const name of GATEWAYS) {
      const pins = join('/sys/fs/bpf/evenkeel', this.gatewayName(name));
      attempt(() => rmSync(pins, { recursive: true, force: true }));
    }
    for (const machine of this.#machines.splice(0)) {
      attempt(() => run(['ip', 'netns', 'del', this.#full(machine)]));
    }
    attempt(() => rmSync(this.folder, { recursive: true, force: true }));
    if (errors.length > 0) throw new AggregateError(errors, 'the lab is not gone');
  }

  /**
   * A network card sends the packets of a flow to one CPU, and its cache remembers the flow. A virtual wire has them
   * handled by the CPU of whoever sent last, probes of gateways included: so all of them have the same one.
   */
  #spawn(machine: Machine, command: readonly string[]): LabProcess {
    const entered = ['nsenter', `--net=/run/netns/${this.#full(machine)}`, ...command];
    const pinned = ['-c', firstCpu(), ...entered];
    const started = new LabProcess(spawn('taskset', pinned, { stdio: ['pipe', 'pipe', 'pipe'] }));
    this.#processes.push(started);
    return started;
  }

  #full(machine: Machine): string {
    return `${this.#prefix}-${machine}`;
  }

  #add(...machines: readonly Machine[]): void {
    for (const machine of machines) {
      run(['ip', 'netns', 'add', this.#full(machine)]);
      this.#machines.push(machine);
      this.ip(machine, 'link set lo up');
    }
  }

  /** A wire: the first end gets host 2 and its default route to the second, which is host 1. */
  #wire(
    [left, leftDevice]: readonly [Machine, string],
    [right, rightDevice]: readonly [Machine, string],
    { network, mtu }: { readonly network: string; readonly mtu: number },
  ): void {
    const ends = [leftDevice, 'netns', this.#full(left), 'type', 'veth', 'peer', 'name'];
    run(['ip', 'link', 'add', ...ends, rightDevice, 'netns', this.#full(right)]);
    for (const [machine, device, host] of [
      [left, leftDevice, 2],
      [right, rightDevice, 1],
    ] as const) {
      this.ip(
        machine,
        `link set ${device} up mtu ${mtu}`,
        `addr add ${hostOf(4, network, host)}/24 dev ${device}`,
        `-6 addr add ${hostOf(6, network, host)}/64 dev ${device} nodad`,
      );
    }
    this.ip(
      left,
      `route add default via ${hostOf(4, network, 1)}`,
      `-6 route add default via ${hostOf(6, network, 1)}`,
    );
  }

  #route(): void {
    const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
    this.in('access', 'sysctl', '-qw', ...forwarding);
    const devices = ['all', 'default', 'access', 'attacker', ...GATEWAYS, ...REALS];
    this.in(
      ...(['router', 'sysctl', '-qw', ...forwarding] as const),
      // Tunnels come from nowhere, and what reals send comes from addresses that are routed to the gateways.
      ...devices.map((device) => `net.ipv4.conf.${device}.rp_filter=0`),
      // Flows are spread over the gateways by addresses and ports.
      ...['net.ipv4.fib_multipath_hash_policy=1', 'net.ipv6.fib_multipath_hash_policy=1'],
    );
    this.ip(
      'router',
      `route add 10.1.0.0/24 via ${hostOf(4, '1:1', 2)}`,
      `-6 route add fd00:1:0::/64 via ${hostOf(6, '1:1', 2)}`,
      `route add blackhole ${SPOOFED}`,
      ...GATEWAYS.flatMap((name) => [
        `route add ${natAddress(4, name)}/32 via ${hostOf(4, `2:${name.at(-1)}`, 2)}`,
        `-6 route add ${natAddress(6, name)}/128 via ${hostOf(6, `2:${name.at(-1)}`, 2)}`,
      ]),
    );
    this.routeVia(...GATEWAYS);
  }
}

function hostOf(family: Family, network: string, host: number): string {
  return family === 4 ? `10.${network.replace(':', '.')}.${host}` : `fd00:${network}::${host}`;
}
