/**
 * A network of its own for one server, joined to ours by a pair of virtual interfaces, whose packets a test can let
 * vanish: what a half-open connection looks like. Nobody is told; both sides go on believing in the connection.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { requireComponent, isRequired } from './require-component.ts';

const run = promisify(execFile);

export class NetworkNamespace {
  /** Of the inner side. */
  readonly address: string;
  /** Of our side. */
  readonly outerAddress: string;
  /** Command and arguments that put a program in there; it keeps the pid. */
  readonly prefix: readonly string[];
  readonly #ip: string;
  readonly #name: string;

  private constructor(ip: string, name: string, network: readonly number[]) {
    const [third = 0, last = 0] = network;
    this.#ip = ip;
    this.#name = name;
    this.address = `198.18.${third}.${last + 2}`;
    this.outerAddress = `198.18.${third}.${last + 1}`;
    this.prefix = [ip, 'netns', 'exec', name];
  }

  static async create(ip: string): Promise<NetworkNamespace> {
    const name = `ek${randomBytes(4).toString('hex')}`;
    // Of the networks that are set aside for tests of network devices (RFC 2544), four addresses.
    const [third = 0, last = 0] = randomBytes(2);
    const namespace = new NetworkNamespace(ip, name, [third, last & 0xfc]);
    await run(ip, ['netns', 'add', name]);
    try {
      const [outer, inner] = namespace.#links;
      await run(ip, ['link', 'add', outer, 'type', 'veth', 'peer', inner, 'netns', name]);
      await run(ip, ['addr', 'add', `${namespace.outerAddress}/30`, 'dev', outer]);
      await run(ip, ['link', 'set', outer, 'up']);
      await namespace.#inside('addr', 'add', `${namespace.address}/30`, 'dev', inner);
      await namespace.#inside('link', 'set', 'lo', 'up');
      await namespace.heal();
      await namespace.#remember();
    } catch (error) {
      await namespace.dispose();
      throw error;
    }
    return namespace;
  }

  /** From now on every packet is lost, in both directions. */
  async cut(): Promise<void> {
    await this.#inside('link', 'set', this.#links[1], 'down');
  }

  async heal(): Promise<void> {
    await this.#inside('link', 'set', this.#links[1], 'up');
  }

  /** Its processes must have been stopped. */
  async dispose(): Promise<void> {
    // The outer interface goes with the inner one; the last of a namespace may be some time in coming.
    await run(this.#ip, ['link', 'del', this.#links[0]]).catch(() => undefined);
    await run(this.#ip, ['netns', 'del', this.#name]);
  }

  get #links(): readonly [outer: string, inner: string] {
    return [`${this.#name}-o`, `${this.#name}-i`];
  }

  async #inside(...args: readonly string[]): Promise<string> {
    return (await run(this.#ip, ['-n', this.#name, ...args])).stdout;
  }

  /** Fixes the neighbour's link address: with a router between us and the server, nothing would report it gone. */
  async #remember(): Promise<void> {
    const [outer, inner] = this.#links;
    const [link] = JSON.parse(await this.#inside('-json', 'link', 'show', inner)) as [
      { address: string },
    ];
    const entry = [this.address, 'lladdr', link.address, 'dev', outer, 'nud', 'permanent'];
    await run(this.#ip, ['neigh', 'replace', ...entry]);
  }
}

/** The command `ip` where namespaces can be made: by root, on a Linux that has them. */
export async function requireNamespaces(): Promise<
  { readonly ip: string } | { readonly ip?: undefined; readonly reason: string }
> {
  const { path, reason } = requireComponent('ip');
  if (path === undefined) return { reason };
  try {
    const probe = await NetworkNamespace.create(path);
    await probe.dispose();
    return { ip: path };
  } catch (error) {
    const why = `network namespaces cannot be made here: ${error instanceof Error ? error.message : String(error)}`;
    if (isRequired('ip')) throw new Error(why);
    process.stderr.write(`skipping tests of half-open connections: ${why}\n`);
    return { reason: why };
  }
}
