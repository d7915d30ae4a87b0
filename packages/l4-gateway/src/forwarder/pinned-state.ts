/**
 * What outlives the process: maps and links below `/sys/fs/bpf/evenkeel/<name>`.
 *
 * A successor loads a program of its own. It takes over the maps that hold state of flows, if they have the very layout
 * of its own program, and makes its tables of VIPs anew; the old program forwards with the old ones meanwhile. Then the
 * program of each link is exchanged in one step. Nothing has to be told apart that was half done when the process died.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  adoptLink,
  adoptMap,
  attachXdp,
  BpfError,
  type BpfMap,
  bytes,
  createMap,
  ensureBpffs,
  isBpfError,
  type Link,
  type MapSpec,
  type ObjectSpec,
  type Pinnable,
  pin,
  type Program,
  u32,
  unpin,
  type XdpMode,
} from '@evenkeel/bpf';
import { wrong } from './address.ts';
import { Ledger, LEDGER_SPEC } from './ledger.ts';

/** Where the pins of all gateways of a machine are, each in a folder of its own. */
export const PIN_ROOT = '/sys/fs/bpf/evenkeel';

/** What a gateway leaves for its successor besides maps. */
export interface Identity {
  /** Hash of the program and of all that the layout of its state depends on. */
  readonly layout: string;
  /** Keys of the flow cache, in hexadecimal: without them what it holds is noise. */
  readonly flowKeys: readonly string[];
  readonly pid: number;
  /** When the process began, in the kernel's ticks: numbers of processes are used again. */
  readonly startTicks: string;
  /** Network namespace that the interfaces are in. */
  readonly netns: string;
  readonly mode: XdpMode;
}

const IDENTITY_BYTES = 4_096;
const IDENTITY_SPEC: MapSpec<'array', number, Uint8Array> = {
  name: 'identity',
  type: 'array',
  key: u32,
  value: bytes(IDENTITY_BYTES),
  maxEntries: 1,
};

/** A map to take over or to leave behind. */
export interface StateMap {
  /** Also the name of its pin. */
  readonly key: string;
  readonly spec: MapSpec;
}

export interface PinnedStateOptions {
  /** Folder of the pins. */
  readonly folder: string;
  readonly layout: string;
  readonly maps: readonly StateMap[];
}

/** What a predecessor left that fits. */
export interface Adopted {
  readonly maps: Readonly<Record<string, Pinnable & { close(): void }>>;
  readonly flowKeys: readonly bigint[];
}

/** The pins of one forwarder. */
export class PinnedState {
  readonly folder: string;
  /** Undefined: nothing was there, or it has another layout. */
  readonly adopted: Adopted | undefined;
  readonly ledger: Ledger;
  readonly #options: PinnedStateOptions;
  readonly #former: Identity | undefined;
  readonly #identity: BpfMap<number, Uint8Array>;
  readonly #links: Link[] = [];

  /**
   * @throws ConfigError for a name that another gateway uses, here or in another network namespace
   * @throws BpfError when there is no BPF file system and none can be mounted
   */
  constructor(options: PinnedStateOptions) {
    this.#options = options;
    this.folder = options.folder;
    ensureBpffs();
    const known = adoptMap(IDENTITY_SPEC, this.#path('identity'));
    this.#former = known && readIdentity(known);
    if (this.#former !== undefined) assertFree(options.folder, this.#former);
    this.#identity = known ?? createMap(IDENTITY_SPEC);
    const maps = this.#former?.layout === options.layout ? this.#adoptMaps() : undefined;
    const ledger = maps && adoptMap(LEDGER_SPEC, this.#path('ledger'));
    this.ledger = new Ledger(ledger);
    this.adopted =
      maps !== undefined && ledger !== undefined
        ? { maps, flowKeys: (this.#former?.flowKeys ?? []).map((key) => BigInt(`0x${key}`)) }
        : undefined;
  }

  /** Writes down everything but the links. Before the first {@link attach}. */
  commit(
    maps: Readonly<Record<string, Pinnable>>,
    flowKeys: readonly bigint[],
    mode: XdpMode,
  ): void {
    const identity: Identity = {
      layout: this.#options.layout,
      flowKeys: flowKeys.map((key) => key.toString(16)),
      ...ownProcess(),
      mode,
    };
    const text = new Uint8Array(IDENTITY_BYTES);
    new TextEncoder().encodeInto(JSON.stringify(identity), text);
    if (this.adopted === undefined) {
      // Last of all who they are: a process that dies in between leaves maps that nobody takes for something else.
      unpin(this.#path('identity'));
      pin(this.ledger.map, this.#path('ledger'), { replace: true });
      for (const [key, map] of Object.entries(maps)) pin(map, this.#path(key), { replace: true });
    }
    this.#identity.update(0, text);
    pin(this.#identity, this.#path('identity'), { replace: true });
  }

  /** Exchanges the program of the pinned link of this interface, or attaches and pins. */
  attach(program: Program<'xdp'>, at: { interface: string | number; mode: XdpMode }): Link {
    const path = this.#path(`link_${linkName(at.interface)}`);
    const link = this.#adoptedLink(path, at.mode) ?? attachXdp(program, at);
    if (existsSync(path)) link.update(program);
    else pin(link, path);
    this.#links.push(link);
    return link;
  }

  /** Does the program of a predecessor forward on some interface? */
  get hasPredecessor(): boolean {
    return this.#files().some((file) => file.startsWith('link_'));
  }

  /** Links of the predecessor that {@link attach} has not taken over are detached, what is stale is removed. */
  dropOldLinks(interfaces: readonly (string | number)[]): void {
    const wanted = new Set(interfaces.map((one) => `link_${linkName(one)}`));
    for (const file of this.#files()) {
      if (!file.startsWith('link_') || wanted.has(file)) continue;
      adoptLink(this.#path(file))?.close();
      unpin(this.#path(file));
    }
  }

  /** @param keep whether the program goes on forwarding without this process */
  close(keep: boolean): void {
    if (!keep) removePins(this.folder);
    for (const link of this.#links.splice(0)) link.close();
    this.ledger.map.close();
    this.#identity.close();
    for (const map of Object.values(this.adopted?.maps ?? {})) map.close();
  }

  /** A pinned link that still is what is wanted; otherwise it is taken away, and a new one has to be made. */
  #adoptedLink(path: string, mode: XdpMode): Link | undefined {
    const link = adoptLink(path);
    if (link === undefined) return undefined;
    const { kind, interfaceIndex = 0 } = link.info();
    if (kind === 'xdp' && interfaceIndex !== 0 && this.#former?.mode === mode) return link;
    unpin(path);
    link.close();
    return undefined;
  }

  #adoptMaps(): Record<string, Pinnable & { close(): void }> | undefined {
    const maps: Record<string, Pinnable & { close(): void }> = {};
    try {
      for (const { key, spec } of this.#options.maps) {
        const map = adoptMap(spec, this.#path(key)) as (Pinnable & { close(): void }) | undefined;
        if (map !== undefined) maps[key] = map;
      }
    } catch (error) {
      for (const map of Object.values(maps)) map.close();
      if (isBpfError(error) && error.code === 'EVENKEEL_BPF_ARGUMENT') return undefined;
      throw error;
    }
    if (Object.keys(maps).length === this.#options.maps.length) return maps;
    for (const map of Object.values(maps)) map.close();
    return undefined;
  }

  #files(): string[] {
    return existsSync(this.folder) ? readdirSync(this.folder) : [];
  }

  #path(file: string): string {
    return join(this.folder, file);
  }
}

/** The folder of a gateway's pins. @throws ConfigError for a name that no folder of pins may have */
export function pinFolder(name: string): string {
  // The kernel refuses dots, and a slash would lead elsewhere.
  if (/^[\w-]{1,64}$/u.test(name)) return join(PIN_ROOT, name);
  throw wrong('pins.name', 'up to 64 letters, digits, "_" or "-"', name);
}

/** The layout of a program's state: equal only for the very same program with tables of the same sizes and meaning. */
export function layoutOf(spec: ObjectSpec, sizes: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify([spec.image, sizes]))
    .digest('hex');
}

/** What is pinned below a folder goes away, and detaches unless somebody else holds it. False when nothing is there. */
export function removePins(folder: string): boolean {
  if (!existsSync(folder)) return false;
  // Links first: a program must not run on without the pins that a successor would find it by.
  const files = readdirSync(folder).sort(
    (a, b) => Number(b.startsWith('link_')) - Number(a.startsWith('link_')),
  );
  for (const file of files) unpin(join(folder, file));
  rmSync(folder, { recursive: true });
  return true;
}

/** Who owns the pins in a folder; undefined when nobody ever did. */
export function readOwner(folder: string): (Identity & { readonly alive: boolean }) | undefined {
  const map = existsSync(folder) ? adoptMap(IDENTITY_SPEC, join(folder, 'identity')) : undefined;
  if (map === undefined) return undefined;
  const identity = readIdentity(map);
  map.close();
  return identity && { ...identity, alive: isAlive(identity) };
}

function readIdentity(map: BpfMap<number, Uint8Array>): Identity | undefined {
  const wire = map.lookup(0) ?? new Uint8Array(0);
  const text = new TextDecoder().decode(wire.subarray(0, Math.max(0, wire.indexOf(0))));
  try {
    return JSON.parse(text) as Identity;
  } catch {
    // Made, and not yet written when its process died: nothing can be known of what else is there.
    return undefined;
  }
}

function assertFree(folder: string, identity: Identity): void {
  if (isAlive(identity) && identity.pid !== process.pid) {
    throw new BpfError(
      'EVENKEEL_BPF_EXISTS',
      `${folder} belongs to process ${identity.pid}, which runs: stop it first, or give this gateway another name`,
    );
  }
  if (identity.netns !== ownProcess().netns) {
    throw new BpfError(
      'EVENKEEL_BPF_EXISTS',
      `${folder} belongs to a gateway in another network namespace (${identity.netns}): give this gateway another name, or remove the pins with "evenkeel-gateway detach"`,
    );
  }
}

function isAlive({ pid, startTicks }: Identity): boolean {
  return startTicksOf(pid) === startTicks;
}

function ownProcess(): Pick<Identity, 'pid' | 'startTicks' | 'netns'> {
  const { pid } = process;
  return { pid, startTicks: startTicksOf(pid) ?? '', netns: readlinkSync('/proc/self/ns/net') };
}

/** Field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)); the name in field 2 may hold anything, so it is skipped whole. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A process that has ended and waits to be reaped holds nothing any more.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Names of pins must not contain a dot, names of interfaces may. */
function linkName(name: string | number): string {
  return String(name).replaceAll('.', '_');
}
