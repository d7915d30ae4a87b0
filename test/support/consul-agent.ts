/** A real Consul server on loopback, in a folder of its own: started, paused, killed, started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { createTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts';

export interface ConsulAgentOptions {
  /** With ACLs on and everything denied to those without a token; `token` may do everything. Default: no ACLs. */
  readonly acl?: { readonly token: string } | undefined;
  readonly datacenter?: string | undefined;
  /** LAN and WAN address of another agent's server, to join two data centres. */
  readonly joinWan?: ConsulAgent | undefined;
  /** One server of several. Default: alone. */
  readonly member?: ConsulMember | undefined;
  /** Files in PEM: an HTTPS port besides, which wants a client certificate of the authority. Default: none. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
  /** Runs in there, and is reached at its address. Default: on loopback. */
  readonly namespace?: NetworkNamespace | undefined;
}

/** How a server finds the others of its cluster. */
export interface ConsulMember {
  readonly name: string;
  readonly size: number;
  /** HTTP, LAN, WAN and server port. */
  readonly ports: readonly number[];
  readonly joinLan: readonly number[];
}

/** An instance as Consul's agent API takes it, in short. */
export interface ServiceInstance {
  readonly name: string;
  readonly id?: string;
  readonly address?: string;
  readonly port: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly weights?: { readonly Passing: number; readonly Warning: number };
  /** A TTL check with this status; default none, which counts as passing. */
  readonly status?: 'passing' | 'warning' | 'critical';
}

/** Longest wait for an agent to answer: it takes 0.2 s, or 3 s when it has to elect itself after a restart. */
const LIMIT_MS = 30_000;

export class ConsulAgent {
  readonly port: number;
  readonly securePort: number;
  readonly wanPort: number;
  /** Where other servers reach this one: how it is named as a leader. */
  readonly serverAddress: string;
  readonly #host: string;
  readonly #command: string;
  readonly #options: ConsulAgentOptions;
  readonly #directory: TemporaryDirectory;
  readonly #arguments: readonly string[];
  #process: ChildProcess | undefined;
  #dataNumber = 0;

  private constructor(
    command: string,
    options: ConsulAgentOptions,
    state: { directory: TemporaryDirectory; ports: readonly number[] },
  ) {
    const [http = 0, lan = 0, wan = 0, server = 0, https = 0] = state.ports;
    const { namespace, member, datacenter = 'dc1', joinWan, tls } = options;
    this.#host = namespace?.address ?? '127.0.0.1';
    this.port = http;
    this.securePort = https;
    this.wanPort = wan;
    this.serverAddress = `${this.#host}:${server}`;
    this.#command = command;
    this.#options = options;
    this.#directory = state.directory;
    this.#arguments = [
      ...['agent', '-server', `-bootstrap-expect=${member?.size ?? 1}`, '-log-level=warn'],
      ...[`-bind=${this.#host}`, `-client=${this.#host}`],
      ...[`-node=${member?.name ?? 'node-1'}`, `-datacenter=${datacenter}`],
      ...[`-http-port=${http}`, '-dns-port=-1', '-grpc-port=-1', `-server-port=${server}`],
      ...[`-serf-lan-port=${lan}`, `-serf-wan-port=${wan}`],
      ...(tls === undefined ? [] : [`-https-port=${https}`]),
      ...(joinWan === undefined ? [] : [`-retry-join-wan=127.0.0.1:${joinWan.wanPort}`]),
      ...(member?.joinLan ?? []).map((port) => `-retry-join=127.0.0.1:${port}`),
    ];
  }

  static async start(command: string, options: ConsulAgentOptions = {}): Promise<ConsulAgent> {
    const directory = await createTemporaryDirectory('consul');
    const ports = [...(options.member?.ports ?? (await freePorts(4))), ...(await freePorts(1))];
    const agent = new ConsulAgent(command, options, { directory, ports });
    try {
      await agent.start();
    } catch (error) {
      await agent.dispose();
      throw error;
    }
    return agent;
  }

  get address(): string {
    return `http://${this.#host}:${this.port}`;
  }

  get secureAddress(): string {
    return `https://${this.#host}:${this.securePort}`;
  }

  /** Starts the process on the data that it has and waits until it knows a leader. */
  async start(): Promise<void> {
    const config = join(this.#directory.path, 'agent.json');
    const { namespace, tls } = this.#options;
    await writeFile(config, JSON.stringify(configOf(this.#options, this.#directory.path)));
    for (const [name, pem] of Object.entries(tls ?? {})) {
      await writeFile(join(this.#directory.path, `${name}.pem`), pem);
    }
    const data = join(this.#directory.path, `data-${this.#dataNumber}`);
    const [command, ...before] = [...(namespace?.prefix ?? []), this.#command] as [string];
    const child = spawn(
      command,
      [...before, ...this.#arguments, `-config-file=${config}`, `-data-dir=${data}`],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    let output = '';
    const note = (chunk: Buffer): void => void (output = (output + String(chunk)).slice(-4_000));
    child.stdout.on('data', note);
    child.stderr.on('data', note);
    const endMs = performance.now() + LIMIT_MS;
    while (performance.now() < endMs) {
      if (child.exitCode !== null) break;
      if (await this.#isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`consul does not become ready:\n${output}`);
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

  /** Registers an instance, or changes it. */
  async register(instance: ServiceInstance): Promise<void> {
    const { name, port, status, weights } = instance;
    const id = instance.id ?? idOf(instance);
    await this.put('/v1/agent/service/register', {
      Name: name,
      ID: id,
      Address: instance.address ?? '',
      Port: port,
      Tags: instance.tags ?? [],
      Meta: instance.meta ?? {},
      ...(weights === undefined ? {} : { Weights: weights }),
      ...(status === undefined ? {} : { Check: { CheckID: `c-${id}`, TTL: '1h', Status: status } }),
    });
  }

  async deregister(instance: ServiceInstance | string): Promise<void> {
    const id = typeof instance === 'string' ? instance : (instance.id ?? idOf(instance));
    await this.put(`/v1/agent/service/deregister/${encodeURIComponent(id)}`);
  }

  async setStatus(
    instance: ServiceInstance,
    status: 'passing' | 'warning' | 'critical',
  ): Promise<void> {
    const id = instance.id ?? idOf(instance);
    await this.put(`/v1/agent/check/update/c-${encodeURIComponent(id)}`, { Status: status });
  }

  /**
   * Writes many instances into the catalog in transactions of 64 operations, the most that Consul takes. They stand on a
   * node of their own, so that the agent's reconciliation leaves them alone.
   */
  async catalog(node: string, instances: readonly ServiceInstance[]): Promise<void> {
    await this.put('/v1/catalog/register', { Node: node, Address: '127.0.0.1' });
    for (let start = 0; start < instances.length; start += 64) {
      const operations = instances.slice(start, start + 64).map((instance) => ({
        Service: {
          Verb: 'set',
          Node: node,
          Service: {
            ID: instance.id ?? idOf(instance),
            Service: instance.name,
            Address: instance.address ?? '',
            Port: instance.port,
            ...(instance.meta === undefined ? {} : { Meta: instance.meta }),
          },
        },
      }));
      await this.put('/v1/txn', operations);
    }
  }

  async put(path: string, body?: unknown): Promise<unknown> {
    return this.#send('PUT', path, body);
  }

  async post(path: string, body: unknown): Promise<unknown> {
    return this.#send('POST', path, body);
  }

  async delete(path: string): Promise<unknown> {
    return this.#send('DELETE', path);
  }

  async get(path: string): Promise<unknown> {
    return this.#send('GET', path);
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.address}${path}`, {
      method,
      headers: this.#headers(),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  #headers(): Record<string, string> {
    const { acl } = this.#options;
    return acl === undefined ? {} : { 'x-consul-token': acl.token };
  }

  /** Ready to be used: there is a leader, the agent has registered itself, and its ACLs are in force. */
  async #isReady(): Promise<boolean> {
    try {
      if ((await this.get('/v1/status/leader')) === '') return false;
      const nodes = await this.get('/v1/catalog/nodes');
      return Array.isArray(nodes) && nodes.length > 0;
    } catch {
      return false;
    }
  }
}

function configOf({ acl, tls }: ConsulAgentOptions, directory: string): object {
  return {
    ...(tls === undefined
      ? {}
      : {
          ca_file: join(directory, 'ca.pem'),
          cert_file: join(directory, 'cert.pem'),
          key_file: join(directory, 'key.pem'),
          verify_incoming_https: true,
        }),
    disable_update_check: true,
    // Tests send more to one agent than a fleet does.
    limits: { http_max_conns_per_client: 2_000 },
    performance: { raft_multiplier: 1 },
    ...(acl === undefined
      ? {}
      : {
          acl: {
            enabled: true,
            default_policy: 'deny',
            tokens: { master: acl.token, agent: acl.token },
          },
        }),
  };
}

function idOf({ name, address, port }: ServiceInstance): string {
  return `${name}-${address ?? 'node'}-${port}`;
}
