/** What the set-up asks of the machine: iproute2's `ip`, and settings below /proc/sys of this network namespace. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '../forwarder/address.ts';
import type { IpPrefix } from '../forwarder/prefix.ts';
import { RealError } from './real-error.ts';

export interface InterfaceInfo {
  readonly name: string;
  readonly isUp: boolean;
  readonly mtu: number;
  /** Without link-local ones, in the form of `parseAddress`. */
  readonly addresses: readonly { readonly text: string; readonly bits: number }[];
}

const SETTINGS = '/proc/sys/net';

/** A setting such as `ipv4/conf/all/rp_filter`. */
export function readSetting(name: string): string {
  return readFileSync(join(SETTINGS, name), 'utf8').trim();
}

/** @throws RealError when the kernel refuses */
export function writeSetting(name: string, value: string): void {
  try {
    writeFileSync(join(SETTINGS, name), value);
  } catch (cause) {
    const how = `sysctl -w net.${name.replaceAll('/', '.')}=${value}`;
    throw new RealError(`cannot write ${SETTINGS}/${name} (as root: ${how})`, { cause });
  }
}

/** @throws RealError when there is no such interface */
export function readInterface(name: string): InterfaceInfo {
  const [found] = JSON.parse(ip('-j', 'addr', 'show', 'dev', name)) as IpAddrJson[];
  if (found === undefined) throw new RealError(`there is no network interface "${name}"`);
  const addresses = (found.addr_info ?? [])
    .filter(({ scope, local }) => local !== undefined && (scope === 'global' || name === 'lo'))
    .map(({ local = '', prefixlen = 0 }) => ({
      text: parseAddress(local, 'address').text,
      bits: prefixlen,
    }));
  return { name, isUp: found.flags.includes('UP'), mtu: found.mtu, addresses };
}

/** Whether a prefix is local by a route of its own, as `addLocal` makes it. */
export function isLocalPrefix(prefix: IpPrefix): boolean {
  const family = `-${prefix.address.family}`;
  const routes = ip(family, 'route', 'show', 'table', 'local', 'type', 'local', 'dev', 'lo');
  return routes.split('\n').some((line) => /^local (\S+)/u.exec(line)?.[1] === prefix.text);
}

/** Puts a VIP on `lo`: an address as such, a prefix as a local route. */
export function addLocal(prefix: IpPrefix): void {
  if (!isAddress(prefix)) {
    ip(`-${prefix.address.family}`, 'route', 'add', 'local', prefix.text, 'dev', 'lo');
    return;
  }
  const noDetection = prefix.address.family === 6 ? ['nodad'] : [];
  ip('addr', 'add', prefix.text, 'dev', 'lo', ...noDetection);
}

export function removeLocal(prefix: IpPrefix): void {
  if (isAddress(prefix)) ip('addr', 'del', prefix.text, 'dev', 'lo');
  else ip(`-${prefix.address.family}`, 'route', 'del', 'local', prefix.text, 'dev', 'lo');
}

export function hasLocal(prefix: IpPrefix): boolean {
  if (!isAddress(prefix)) return isLocalPrefix(prefix);
  return readInterface('lo').addresses.some(({ text }) => text === prefix.address.text);
}

export function isAddress({ address, bits }: IpPrefix): boolean {
  return bits === (address.family === 4 ? 32 : 128);
}

/** Tells network namespaces of one machine apart: settings of one are not those of another. */
export function networkNamespace(): string {
  const text = readlinkSync('/proc/thread-self/ns/net');
  return /\d+/u.exec(text)?.[0] ?? 'unknown';
}

/** When a process began, in clock ticks since boot; undefined when it is gone. Numbers of processes are used again. */
export function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses and may contain anything; the start is the 20th field behind it.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

interface IpAddrJson {
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly addr_info?: readonly {
    readonly local?: string;
    readonly prefixlen?: number;
    readonly scope?: string;
  }[];
}

function ip(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('ip', args, {
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (status === 0) return stdout;
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    throw new RealError('there is no "ip" command: install iproute2');
  }
  throw new RealError(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
