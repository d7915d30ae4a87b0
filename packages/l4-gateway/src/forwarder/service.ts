/** One VIP in the program's tables: its reals, its rings, what it was asked to do. */
import type { BpfMap } from '@evenkeel/bpf';
import { wrong } from './address.ts';
import { assertForward } from './forward-mode.ts';
import { type FlowBytes, placeOf, ringHash } from './flow-hash.ts';
import {
  type ServerIdKey,
  type SourceKey,
  VipFlag,
  type VipRecord,
} from './generated/forwarder.ts';
import type { Guard } from './guard.ts';
import { type IpPrefix, parsePrefix } from './prefix.ts';
import { buildRing, equalRings, RING_SIZE } from './ring.ts';
import type { RingStore } from './ring-store.ts';
import type { RealStatistics, Traffic } from './statistics.ts';
import { add, type TargetTable } from './target-table.ts';
import type { ParsedReal, ParsedVip } from './vip.ts';
import type { Entry, VipDirectory } from './vip-directory.ts';
import type { ParsedVipOptions } from './vip-options.ts';
import { startsAlike } from './vip-search.ts';

/** Reals for clients from some networks, instead of the VIP's. */
export interface ParsedRoute {
  readonly sources: readonly IpPrefix[];
  readonly reals: ReadonlyMap<string, ParsedReal>;
}

/** All that is wanted of a VIP. */
export interface ServiceState {
  readonly options: ParsedVipOptions;
  readonly reals: ReadonlyMap<string, ParsedReal>;
  readonly routes: readonly ParsedRoute[];
}

/** The tables of the program that a VIP has entries in. */
export interface ServiceTables {
  readonly targets: TargetTable;
  readonly rings: RingStore;
  readonly directory: VipDirectory;
  readonly records: BpfMap<number, VipRecord>;
  readonly routes: BpfMap<SourceKey, number>;
  readonly serverIds: BpfMap<ServerIdKey, number>;
  /** Families of the addresses that NAT may take. */
  readonly natFamilies: ReadonlySet<4 | 6>;
  readonly guard: Guard;
}

interface Member {
  readonly real: ParsedReal;
  readonly number: number;
}

/** A set of reals with a ring of its own: the VIP's, or that of a route. */
interface Branch {
  readonly sources: readonly IpPrefix[];
  readonly ring: Uint16Array;
  readonly slot: number;
}

/** Flags that decide where flows are looked for and what places them: what the cache holds is void when they change. */
const CHOICE_FLAGS =
  VipFlag.VIP_NO_SOURCE_PORT |
  VipFlag.VIP_NO_SOURCE |
  VipFlag.VIP_NO_DESTINATION_PORT |
  VipFlag.VIP_NO_DESTINATION |
  VipFlag.VIP_THREE_TUPLE |
  VipFlag.VIP_QUIC;

const NO_TRAFFIC: Traffic = { packets: 0n, bytes: 0n };

export class Service {
  readonly parsed: ParsedVip;
  readonly #tables: ServiceTables;
  readonly #number: number;
  #state: ServiceState | undefined;
  #members: ReadonlyMap<string, Member> = new Map();
  /** The VIP's own first, then those of the routes. */
  #branches: readonly Branch[] = [];
  #serverIds: ReadonlyMap<string, ServerIdKey> = new Map();
  /** Of reals that have left. */
  #past: Traffic = NO_TRAFFIC;

  /** @param number of the VIP in the program's tables */
  constructor(parsed: ParsedVip, number: number, tables: ServiceTables) {
    this.parsed = parsed;
    this.#number = number;
    this.#tables = tables;
  }

  get number(): number {
    return this.#number;
  }

  /** @throws Error before the first {@link apply} */
  get state(): ServiceState {
    if (this.#state === undefined) throw new Error(`${this.parsed.name} has no state yet`);
    return this.#state;
  }

  /**
   * Makes the tables say what `state` says: records of new reals before a ring names them, the rings before the VIP names
   * them, and what is not named any more last. When it throws, everything is as it was.
   *
   * @returns whether a ring had to be published
   */
  apply(state: ServiceState): boolean {
    const { targets, rings } = this.#tables;
    assertServerIds(state);
    this.#tables.guard.assertVip(state.options.limits);
    const reals = union(state);
    assertForward(reals.values(), {
      vip: this.parsed,
      mode: state.options.forward,
      isThreeTuple: (state.options.flags & VipFlag.VIP_THREE_TUPLE) !== 0,
      natFamilies: this.#tables.natFamilies,
    });
    const added: number[] = [];
    let branches: readonly Branch[];
    const members = new Map<string, Member>();
    try {
      rings.assertRoom(1 + state.routes.length - this.#branches.length);
      for (const [text, real] of reals) {
        const known = this.#members.get(text);
        const number = known?.number ?? targets.allocate(real, this.parsed.name);
        if (known === undefined) added.push(number);
        members.set(text, { real, number });
      }
      branches = this.#buildBranches(state, members);
    } catch (error) {
      for (const number of added) targets.release(number);
      throw error;
    }
    const former = { members: this.#members, branches: this.#branches, state: this.#state };
    this.#members = members;
    this.#branches = branches;
    this.#state = state;
    this.#writeTargets(former.members, former.state);
    this.#name(former.branches);
    this.#writeServerIds();
    const kept = new Set(branches.map(({ slot }) => slot));
    for (const { slot } of former.branches) if (!kept.has(slot)) rings.release(slot);
    for (const [text, { number }] of former.members) if (!members.has(text)) this.#forget(number);
    return branches.some(({ slot }) => !former.branches.some((branch) => branch.slot === slot));
  }

  /** Takes the VIP out of the tables. */
  remove(): void {
    const { targets, rings, directory, routes, serverIds } = this.#tables;
    for (const entry of entriesOf(this.parsed, this.state.options.flags)) directory.delete(entry);
    for (const { sources, slot } of this.#branches) {
      for (const source of sources) routes.delete(this.#routeKey(source));
      rings.release(slot);
    }
    for (const key of this.#serverIds.values()) serverIds.delete(key);
    this.#tables.guard.removeVip(this.#number);
    for (const { number } of this.#members.values()) targets.release(number);
  }

  /** Where a new flow would go; undefined when there is no real. */
  realOf(flow: FlowBytes, seed: bigint): string | undefined {
    const branch = this.#branches[this.#branchFor(flow.source)];
    const place = placeOf(ringHash(flow, seed, this.state.options.flags), RING_SIZE);
    const number = branch?.ring[place];
    return [...this.#members.values()].find((member) => member.number === number)?.real.address
      .text;
  }

  /** Which of its source routes a client takes, counted from 0; undefined: none. */
  routeOf(source: Uint8Array): number | undefined {
    const branch = this.#branchFor(source);
    return branch === 0 ? undefined : branch - 1;
  }

  statistics(): Traffic & { readonly reals: readonly RealStatistics[] } {
    const reals = [...this.#members.values()].map(({ real, number }) => ({
      address: real.address.text,
      weight: real.weight,
      ...this.#tables.targets.traffic(number),
    }));
    return { ...reals.reduce<Traffic>(add, this.#past), reals };
  }

  /** Its reals by their numbers in the program's table. */
  get targets(): ReadonlyMap<number, string> {
    return new Map(
      Array.from(this.#members.values(), ({ number, real }) => [number, real.address.text]),
    );
  }

  /** Number of the branch whose source prefix is the longest that fits, or 0, the VIP's own. */
  #branchFor(source: Uint8Array): number {
    let best = { branch: 0, bits: 0 };
    for (const [branch, { sources }] of this.#branches.entries()) {
      for (const { address, bits } of sources) {
        if (bits >= best.bits && startsAlike(source, address.bytes, bits)) best = { branch, bits };
      }
    }
    return best.branch;
  }

  /** Rings that have not changed stay in their slots. */
  #buildBranches(state: ServiceState, members: ReadonlyMap<string, Member>): readonly Branch[] {
    const { rings } = this.#tables;
    const built = [{ sources: [], reals: state.reals }, ...state.routes].map(
      ({ sources, reals }) => ({
        sources,
        ring: buildRing(
          Array.from(reals, ([address, { weight, isDown }]) => ({
            address,
            weight: isDown ? 0 : weight,
            number: (members.get(address) as Member).number,
          })),
        ),
      }),
    );
    return built.map(({ sources, ring }, index) => {
      const former = this.#branches[index];
      const isSame = former !== undefined && equalRings(ring, former.ring);
      return { sources, ring, slot: isSame ? former.slot : rings.store(ring) };
    });
  }

  #writeTargets(former: ReadonlyMap<string, Member>, formerState: ServiceState | undefined): void {
    const { targets } = this.#tables;
    const { options } = this.state;
    const isMoved =
      formerState !== undefined &&
      ((formerState.options.flags ^ options.flags) & CHOICE_FLAGS) !== 0;
    for (const [text, { real, number }] of this.#members) {
      const before = former.get(text)?.real;
      const isGone = real.isDown && before?.isDown !== true && options.deadReals === 'rehash';
      if (isMoved || isGone) targets.renew(number);
      if (isMoved || formerState?.options !== options || !isSameReal(before, real)) {
        targets.write(number, real, { vip: this.#number, options });
      }
      if (before !== undefined && before.weight !== real.weight) {
        targets.note(number, real, this.parsed.name);
      }
    }
  }

  /** Lets the VIP, and its sources, name the rings of now. */
  #name(former: readonly Branch[]): void {
    const { directory, records, routes } = this.#tables;
    const { flags, serverIdBytes } = this.state.options;
    const [own, ...others] = this.#branches;
    for (const { sources, slot } of others) {
      for (const source of sources) routes.update(this.#routeKey(source), slot);
    }
    records.update(this.#number, { quicIdBytes: serverIdBytes, spare: new Uint8Array(63) });
    const word = {
      number: this.#number,
      ring: own?.slot ?? 0,
      flags: flags | this.#ownFlags(others.length > 0),
    };
    this.#tables.guard.setVip(this.#number, this.state.options.limits);
    const entries = entriesOf(this.parsed, flags);
    for (const entry of entries) directory.set(entry, word);
    if ((flags & VipFlag.VIP_THREE_TUPLE) === 0) directory.delete(fragmentEntry(this.parsed));
    const wanted = new Set(others.flatMap(({ sources }) => sources.map(({ text }) => text)));
    for (const source of former.flatMap((branch) => branch.sources)) {
      if (!wanted.has(source.text)) routes.delete(this.#routeKey(source));
    }
  }

  /** Flags that the options do not say. */
  #ownFlags(hasRoutes: boolean): number {
    return (
      (hasRoutes ? VipFlag.VIP_SOURCE_ROUTES : 0) |
      (this.#tables.guard.isOpen ? VipFlag.VIP_GUARDED : 0)
    );
  }

  #writeServerIds(): void {
    const { serverIds } = this.#tables;
    const wanted = new Map<string, ServerIdKey>();
    for (const { real, number } of this.#members.values()) {
      if (real.serverId === undefined || real.isDown) continue;
      const id = new Uint8Array(8);
      id.set(real.serverId);
      const key = { vip: this.#number, bytes: real.serverId.length, id };
      wanted.set(Buffer.from(id).toString('hex'), key);
      serverIds.update(key, number);
    }
    for (const [text, key] of this.#serverIds) if (!wanted.has(text)) serverIds.delete(key);
    this.#serverIds = wanted;
  }

  #forget(number: number): void {
    this.#past = add(this.#past, this.#tables.targets.traffic(number));
    this.#tables.targets.release(number);
  }

  #routeKey({ address, bits }: IpPrefix): SourceKey {
    return { bits: 32 + bits, vip: this.#number, address: address.bytes };
  }
}

/** Does its record stay as it is? The weight is in the ring alone. */
function isSameReal(before: ParsedReal | undefined, now: ParsedReal): boolean {
  return (
    before !== undefined &&
    before.isDown === now.isDown &&
    before.isLocal === now.isLocal &&
    before.forward === now.forward &&
    before.port === now.port &&
    Buffer.compare(before.nextHop, now.nextHop) === 0
  );
}

/** The entry that takes fragments for a VIP. */
export function fragmentEntry({ address, bits, protocol }: ParsedVip): Entry {
  return { kind: 'fragments', address, bits, port: 0, protocol };
}

function entriesOf(parsed: ParsedVip, flags: number): Entry[] {
  const { address, bits, port, protocol } = parsed;
  const entries: Entry[] = [{ kind: 'vip', address, bits, port, protocol }];
  if ((flags & VipFlag.VIP_THREE_TUPLE) !== 0) entries.push(fragmentEntry(parsed));
  return entries;
}

/** All reals of a VIP. A real that is in several sets has one record: that of the first. */
function union({ reals, routes }: ServiceState): ReadonlyMap<string, ParsedReal> {
  const all = new Map(reals);
  for (const route of routes) {
    for (const [text, real] of route.reals) if (!all.has(text)) all.set(text, real);
  }
  return all;
}

/** @throws ConfigError for server ids of another length than the VIP's, or one that two reals have */
function assertServerIds(state: ServiceState): void {
  const { serverIdBytes } = state.options;
  const seen = new Set<string>();
  for (const { serverId, address } of union(state).values()) {
    if (serverId === undefined) continue;
    const path = `serverId of ${address.text}`;
    const text = Buffer.from(serverId).toString('hex');
    if (serverIdBytes === 0) throw wrong(path, 'a VIP with `quic`', text);
    if (serverId.length !== serverIdBytes) throw wrong(path, `${serverIdBytes} octets`, text);
    if (seen.has(text)) throw wrong(path, 'an id that no other real has', text);
    seen.add(text);
  }
}

/** @throws ConfigError for a prefix that is wrong, of the other family, or there twice */
export function parseSources(
  sources: readonly (readonly string[])[],
  { address }: ParsedVip,
): readonly (readonly IpPrefix[])[] {
  const seen = new Set<string>();
  return sources.map((texts, route) =>
    texts.map((text, index) => {
      const path = `routes[${route}].sources[${index}]`;
      const prefix = parsePrefix(text, path);
      if (prefix.address.family !== address.family) {
        throw wrong(path, `an IPv${address.family} prefix`, text);
      }
      if (seen.has(prefix.text)) throw wrong(path, 'each prefix once', text);
      seen.add(prefix.text);
      return prefix;
    }),
  );
}
