import { randomBytes } from 'node:crypto';
import {
  attachXdp,
  BpfError,
  type Link,
  type LoadedObject,
  loadObject,
  MappedArray,
  openKernel,
  possibleCpus,
  type Program,
  type XdpMode,
} from '@evenkeel/bpf';
import { parseAddress, wrong } from './address.ts';
import { FlowClock } from './flow-clock.ts';
import { type CachedFlow, dumpFlows, type FlowDump, type FlowTarget } from './flow-dump.ts';
import { Guard } from './guard.ts';
import { type GuardRules, parseRules } from './guard-options.ts';
import { type ForwarderFill, isInUse, sampleFill } from './fill.ts';
import { forwarder as forwarderSpec, type ForwarderSpec, VipFlag } from './generated/forwarder.ts';
import { type ForwarderOptions, type ParsedOptions, parseOptions } from './options.ts';
import { openPinned, pinnedMaps } from './open-pinned.ts';
import type { PinnedState } from './pinned-state.ts';
import { RingStore, SPARE_SLOTS } from './ring-store.ts';
import { type ParsedRoute, parseSources, Service, type ServiceState } from './service.ts';
import { type ForwarderStatistics, readCounts, type Traffic } from './statistics.ts';
import { add, type KeptTarget, TargetTable } from './target-table.ts';
import { assertNotTracing, TraceAssembler, type TracedPacket } from './trace.ts';
import { parseTraceFilter, type TraceFilter } from './trace-filter.ts';
import {
  type Flow,
  type ParsedVip,
  parsePort,
  parseReals,
  parseVip,
  PROTOCOL_NUMBERS,
  type Real,
  type Vip,
} from './vip.ts';
import { VipDirectory } from './vip-directory.ts';
import { parseVipOptions, type VipOptions } from './vip-options.ts';
import { findVip } from './vip-search.ts';

type Loaded = LoadedObject<
  ForwarderSpec['maps'],
  ForwarderSpec['programs'],
  ForwarderSpec['globals']
>;

export interface XdpAttachment {
  /** Name or index of the interface. */
  readonly interface: string | number;
  /** Default `auto`: in the driver if it can, else generic. */
  readonly mode?: XdpMode;
}

/** A trace that is running. */
export interface Trace {
  /** Records that found no room, because they are read too slowly. */
  readonly lost: bigint;
  /** Hands over what there is, without waiting for the next look, which comes within 10 ms. */
  flush(): void;
  /** Idempotent. */
  close(): void;
}

/** Clients that get other reals than the rest. */
export interface SourceRoute {
  /** Prefixes of client addresses, of the VIP's family. The longest that fits counts. */
  readonly sources: readonly string[];
  readonly reals: readonly Real[];
}

/** `WAYS` of the program. */
const WAYS = 4;
/** Which of the flow cache's keys the tags of IPv6 VIPs are made with: one that the cache leaves over. */
const TAG_KEY = 33;

const NO_TRAFFIC: Traffic = { packets: 0n, bytes: 0n };

/**
 * Loads the program. Nothing is attached and no VIP is known yet.
 *
 * @throws ConfigError for wrong options
 * @throws BpfError for what the kernel refuses: `EVENKEEL_BPF_PERMISSION` names the missing capability
 */
export function openForwarder(options: ForwarderOptions): Forwarder {
  const parsed = parseOptions(options);
  const pinned = options.pins && openPinned(options.pins, parsed);
  try {
    return new Forwarder(load(parsed, pinned), parsed, pinned);
  } catch (error) {
    pinned?.close(true);
    throw error;
  }
}

function load(parsed: ParsedOptions, pinned: PinnedState | undefined): Loaded {
  return loadObject(forwarderSpec, {
    ...(pinned?.adopted === undefined ? {} : { maps: pinned.adopted.maps }),
    constants: {
      flowKeys: pinned?.adopted?.flowKeys ?? randomKeys(40),
      ringSeed: parsed.ringSeed,
      buckets: parsed.bucketsPerCpu,
      maxPacket: parsed.mtu,
      outerSource4: parsed.outerSource4,
      outerSource6: parsed.outerSource6,
      repliesPerSecond: parsed.repliesPerSecond,
      ...parsed.nat.constants,
      inspectAll: Number(parsed.guard.isInspecting),
      sourceBuckets: parsed.guard.sourceBuckets,
    },
    maxEntries: {
      flows: parsed.bucketsPerCpu * possibleCpus(),
      rings: parsed.maxRings + SPARE_SLOTS,
      ...parsed.nat.entries,
      guardedSources: parsed.guard.isOpen ? parsed.guard.sourceBuckets * possibleCpus() : 1,
    },
  });
}

/** Random for each forwarder: nobody can aim flows at one bucket of its cache. */
function randomKeys(count: number): bigint[] {
  const bytes = randomBytes(8 * count);
  return Array.from({ length: count }, (_, index) => bytes.readBigUInt64LE(8 * index));
}

/**
 * The forwarder of one gateway: VIPs, their reals, and the program that serves them.
 *
 * Every call takes effect before it returns, and leaves everything as it was when it throws. It ends with the process:
 * its links detach.
 */
export class Forwarder {
  readonly #object: Loaded;
  readonly #options: ParsedOptions;
  readonly #targets: TargetTable;
  readonly #rings: RingStore;
  readonly #directory: VipDirectory;
  readonly #clock: FlowClock;
  readonly #guard: Guard;
  readonly #services = new Map<string, Service>();
  /** Numbers of VIPs that are free; one is used again as late as possible. */
  readonly #numbers: number[];
  readonly #links: Link[] = [];
  #trace: Trace | undefined;
  readonly #pinned: PinnedState | undefined;

  /** Use {@link openForwarder}. */
  constructor(object: Loaded, options: ParsedOptions, pinned?: PinnedState) {
    this.#object = object;
    this.#options = options;
    this.#pinned = pinned;
    const { maps, globals } = object;
    const { maxEntries: size } = forwarderSpec.maps.targets;
    this.#targets = new TargetTable(maps, { size, path: options }, pinned?.ledger);
    this.#rings = new RingStore(maps.rings);
    const tagKey = globals.rodata.read().flowKeys[TAG_KEY] as bigint;
    this.#directory = new VipDirectory(maps, tagKey, (kinds) => globals.bss.set('vipKinds', kinds));
    this.#clock = new FlowClock(maps, {
      seconds: options.clock,
      write: (bits) => globals.bss.set('clockBits', bits),
    });
    this.#guard = new Guard(
      maps,
      {
        setBits: (bits) => globals.bss.set('guardBits', bits),
        setSourceLimits: (limits) => globals.bss.set('sourceLimits', limits),
      },
      options.guard,
    );
    const { maxEntries: numbers } = forwarderSpec.maps.vipRecords;
    this.#numbers = Array.from({ length: numbers - 1 }, (_, index) => index + 1);
  }

  /** Has it taken over what a predecessor remembered of flows? */
  get isAdopted(): boolean {
    return this.#pinned?.adopted !== undefined;
  }

  /** Does the program of a predecessor forward until this one is attached? */
  get hasPredecessor(): boolean {
    return this.#pinned?.hasPredecessor ?? false;
  }

  /** Reals that a predecessor had and no VIP has yet; their flows go where they went. */
  get kept(): readonly KeptTarget[] {
    return this.#targets.kept;
  }

  /** Flows of {@link kept} are placed anew from now on. Call it once all VIPs are there and the program is attached. */
  releaseKept(): void {
    this.#targets.releaseKept();
  }

  /** The program, for test runs. */
  get program(): Program<'xdp'> {
    return this.#object.programs.forward;
  }

  /** What its tables take, in bytes. Nearly all of it is allocated when the forwarder is opened. */
  get tableBytes(): number {
    const cpus = possibleCpus();
    const { targets, targetTraffic, flows, vips, vipRecords } = this.#object.maps;
    const perTarget = targets.spec.value.bytes + targetTraffic.spec.value.bytes * cpus;
    const perVip = vipRecords.spec.value.bytes * vipRecords.spec.maxEntries;
    return (
      perTarget * targets.spec.maxEntries +
      flows.spec.value.bytes * flows.info().maxEntries +
      vips.spec.value.bytes * vips.spec.maxEntries +
      perVip +
      this.#rings.bytes
    );
  }

  /**
   * Adds a VIP, which is served from now on wherever the program is attached.
   *
   * @throws ConfigError for a VIP that is there already, for wrong options, and for wrong reals
   * @throws BpfError `EVENKEEL_BPF_LIMIT` for more than `maxRings` VIPs, or 16383 pairs of VIP and real
   */
  addVip(vip: Vip, reals: readonly Real[], options?: VipOptions): void {
    const parsed = parseVip(vip);
    if (this.#services.has(parsed.name)) throw wrong('vip', 'a VIP that is new', parsed.name);
    const state: ServiceState = {
      options: parseVipOptions(options),
      reals: parseReals(reals, this.#options.nextHop),
      routes: [],
    };
    this.#assertFragments(parsed, state);
    const number = this.#numbers.shift();
    if (number === undefined) throw new BpfError('EVENKEEL_BPF_LIMIT', 'no room for another VIP');
    const { vipRecords: records, sourceRoutes: routes, serverIds } = this.#object.maps;
    const service = new Service(parsed, number, {
      ...{ targets: this.#targets, rings: this.#rings, directory: this.#directory },
      ...{ records, routes, serverIds, natFamilies: this.#options.nat.families },
      guard: this.#guard,
    });
    try {
      service.apply(state);
    } catch (error) {
      this.#numbers.push(number);
      throw error;
    }
    this.#services.set(parsed.name, service);
    this.#nameAddress(parsed);
  }

  /**
   * Replaces the reals of a VIP. Flows of reals that stay remain where they are, as far as the gateway remembers them
   * or the ring has not moved them; those of reals that are gone are placed anew with their next packet.
   *
   * @returns whether the ring had to be published
   */
  updateReals(vip: Vip, reals: readonly Real[]): boolean {
    const service = this.#service(vip);
    return service.apply({
      ...service.state,
      reals: parseReals(reals, this.#options.nextHop),
    });
  }

  /**
   * Gives clients from some networks other reals, instead of all routes that the VIP had. Remembered flows stay where
   * they are unless their real is gone.
   *
   * @returns whether a ring had to be published
   */
  setSourceRoutes(vip: Vip, routes: readonly SourceRoute[]): boolean {
    const service = this.#service(vip);
    const sources = parseSources(
      routes.map((route) => route.sources),
      service.parsed,
    );
    const parsed = routes.map(({ reals }, index): ParsedRoute => ({
      sources: sources[index] ?? [],
      reals: parseReals(reals, this.#options.nextHop),
    }));
    return service.apply({ ...service.state, routes: parsed });
  }

  /**
   * Replaces the options of a VIP; those that are left out get their defaults. When what is hashed changes, remembered
   * flows of the VIP are placed anew.
   */
  configureVip(vip: Vip, options: VipOptions): void {
    const service = this.#service(vip);
    const state = { ...service.state, options: parseVipOptions(options) };
    this.#assertFragments(service.parsed, state);
    service.apply(state);
    this.#nameAddress(service.parsed);
  }

  /** Its packets are the host's from now on. */
  removeVip(vip: Vip): void {
    const service = this.#service(vip);
    service.remove();
    this.#services.delete(service.parsed.name);
    this.#numbers.push(service.number);
    this.#nameAddress(service.parsed);
  }

  /**
   * Replaces what the guard lets in; `guard` of the options makes room for it. VIPs have `limits` of their own.
   *
   * @throws ConfigError for wrong rules, which leaves the old ones in force
   */
  setGuard(rules: GuardRules): void {
    this.#guard.setRules(parseRules(rules));
  }

  /**
   * Reports packets that match, one by one: how they came, what happened to them, how they left. Meanwhile every packet
   * takes the long way; those that are reported cost microseconds, and there are at most `perSecond` of them.
   *
   * @returns ends the trace when it is closed, and tells how many reports found no room
   * @throws ConfigError for a wrong filter, and while another trace is running
   */
  trace(filter: TraceFilter, handle: (packet: TracedPacket) => void): Trace {
    assertNotTracing(this.#trace !== undefined);
    const { bss } = this.#object.globals;
    bss.set('traceFilter', parseTraceFilter(filter));
    const assembler = new TraceAssembler(
      {
        vip: (number) => this.#serviceOf(number)?.parsed.name ?? `number ${number}`,
        real: (number) => this.#realOfTarget(number),
      },
      handle,
    );
    const reader = this.#object.maps.traces.readBytes((record) => assembler.add(record));
    const lostBefore = bss.get('traceLost');
    bss.set('traceOn', 1);
    const trace: Trace = {
      get lost(): bigint {
        return bss.get('traceLost') - lostBefore;
      },
      flush: () => void reader.drain(),
      close: () => {
        if (this.#trace !== trace) return;
        this.#trace = undefined;
        bss.set('traceOn', 0);
        reader.drain();
        reader.close();
      },
    };
    this.#trace = trace;
    return trace;
  }

  /** Tells the program the time; it is told once a second anyway. */
  tick(): void {
    this.#clock.tick();
  }

  /**
   * Attaches the program to an interface. Add the VIPs first: the route to them may be announced afterwards.
   *
   * @throws BpfError `EVENKEEL_BPF_EXISTS` when another program is attached
   */
  attach(attachment: XdpAttachment): Link {
    const { interface: name, mode = 'auto' } = attachment;
    if (this.#pinned !== undefined) {
      const { flowKeys } = this.#object.globals.rodata.read();
      this.#pinned.commit(pinnedMaps(this.#object.maps), flowKeys, mode);
      return this.#pinned.attach(this.program, { interface: name, mode });
    }
    const link = attachXdp(this.program, attachment);
    this.#links.push(link);
    return link;
  }

  /** Detaches a predecessor from all interfaces but these. */
  detachOthers(interfaces: readonly (string | number)[]): void {
    this.#pinned?.dropOldLinks(interfaces);
  }

  /**
   * The address of the real that a new flow would get; the program computes the same. Undefined when no VIP takes it,
   * or the VIP has no real. A flow that the gateway remembers may be elsewhere.
   */
  realOf(flow: Flow): string | undefined {
    const { destinationPort, protocol } = flow;
    const destination = parseAddress(flow.destination, 'flow.destination');
    const source = parseAddress(flow.source, 'flow.source');
    if (!Object.hasOwn(PROTOCOL_NUMBERS, protocol)) {
      throw wrong('flow.protocol', '"tcp" or "udp"', protocol);
    }
    parsePort(destinationPort, 'flow.destinationPort');
    const service = findVip(this.#services.values(), {
      address: destination,
      port: destinationPort,
      protocol,
    });
    if (source.family !== destination.family) {
      throw wrong('flow.source', `an IPv${destination.family} address`, flow.source);
    }
    return service?.realOf(
      {
        family: source.family,
        source: source.bytes,
        destination: destination.bytes,
        sourcePort: parsePort(flow.sourcePort, 'flow.sourcePort'),
        destinationPort,
        protocol: PROTOCOL_NUMBERS[protocol],
      },
      this.#options.ringSeed,
    );
  }

  statistics(): ForwarderStatistics {
    const vips = [...this.#services.values()].map((service) => ({
      vip: service.parsed.vip,
      ...service.statistics(),
    }));
    return { vips, packets: readCounts(this.#object.maps.counters) };
  }

  /** What each CPU forwarded. */
  cpuTraffic(): readonly Traffic[] {
    const cpus = Array.from({ length: possibleCpus() }, () => NO_TRAFFIC);
    for (const [, counted] of this.#object.maps.targetTraffic.entries()) {
      counted.forEach((traffic, cpu) => (cpus[cpu] = add(cpus[cpu] ?? NO_TRAFFIC, traffic)));
    }
    return cpus;
  }

  /**
   * Flows that the cache remembers.
   *
   * @param limit how many are handed out; all are counted
   */
  flows({ limit, keep }: { limit: number; keep?: (flow: CachedFlow) => boolean }): FlowDump {
    const { flows, targets } = this.#object.maps;
    const known = new Map<number, FlowTarget>();
    for (const { parsed, targets: reals } of this.#services.values()) {
      const { name, vip } = parsed;
      for (const [number, real] of reals) {
        const generation = targets.lookup(number)?.generation ?? 0;
        known.set(number, { name, vip, family: parsed.address.family, real, generation });
      }
    }
    const spec = { ...flows.spec, maxEntries: flows.info().maxEntries };
    const memory = new MappedArray(openKernel(), spec, flows.fd);
    try {
      return dumpFlows({
        words: new Uint32Array(memory.memory),
        cpus: possibleCpus(),
        nowSeconds: this.#options.clock(),
        targetOf: (number) => known.get(number),
        ...{ limit, ...(keep === undefined ? {} : { keep }) },
      });
    } finally {
      memory.close();
    }
  }

  /** How full the tables are. */
  fill(): ForwarderFill {
    const { flows } = this.#object.maps;
    const { maxEntries: count } = flows.info();
    const usedIn = (index: number): number =>
      (flows.lookup(index)?.ways ?? []).filter(isInUse).length;
    return {
      vips: { used: this.#services.size, size: this.#options.maxRings },
      targets: { used: this.#targets.usedCount, size: forwarderSpec.maps.targets.maxEntries - 1 },
      flows: { size: count * WAYS, usedRatio: sampleFill({ count, ways: WAYS, usedIn }) },
    };
  }

  /**
   * Detaches and gives everything back. Idempotent.
   *
   * @param keep of a pinned forwarder: the program goes on without this process, for a successor to take over
   */
  close({ keep = false }: { readonly keep?: boolean } = {}): void {
    this.#trace?.close();
    this.#pinned?.close(keep);
    for (const link of this.#links.splice(0)) link.close();
    this.#clock.close();
    this.#rings.close();
    this.#directory.close();
    this.#object.close();
  }

  #serviceOf(number: number): Service | undefined {
    return [...this.#services.values()].find((service) => service.number === number);
  }

  #realOfTarget(number: number): string {
    for (const { targets } of this.#services.values()) {
      const real = targets.get(number);
      if (real !== undefined) return real;
    }
    return `target ${number}`;
  }

  #service(vip: Vip): Service {
    const { name } = parseVip(vip);
    const service = this.#services.get(name);
    if (service !== undefined) return service;
    throw wrong('vip', `a VIP that was added (${[...this.#services.keys()].join(', ')})`, name);
  }

  /** @throws ConfigError when another VIP takes the fragments of this address and protocol */
  #assertFragments(parsed: ParsedVip, { options }: ServiceState): void {
    if ((options.flags & VipFlag.VIP_THREE_TUPLE) === 0) return;
    const name = nameOfFragments(parsed);
    for (const other of this.#services.values()) {
      if (other.parsed.name === parsed.name || nameOfFragments(other.parsed) !== name) continue;
      if ((other.state.options.flags & VipFlag.VIP_THREE_TUPLE) === 0) continue;
      throw wrong('fragments', `one VIP with them, which is ${other.parsed.name}`, parsed.name);
    }
  }

  /** The address as such, for packets without ports: what all its VIPs together say. */
  #nameAddress({ address, bits }: ParsedVip): void {
    const sharing = [...this.#services.values()].filter(
      ({ parsed }) => parsed.address.text === address.text && parsed.bits === bits,
    );
    const entry = { kind: 'address', address, bits, port: 0, protocol: 0 } as const;
    const [first] = sharing;
    if (first === undefined) {
      this.#directory.delete(entry);
      return;
    }
    const flags = sharing.reduce((sum, { state }) => sum | state.options.flags, 0);
    this.#directory.set(entry, { number: first.number, ring: 0, flags });
  }
}

function nameOfFragments({ address, bits, protocol }: ParsedVip): string {
  return `${address.text}/${bits} ${protocol}`;
}
