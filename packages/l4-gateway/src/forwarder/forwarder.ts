import {
  attachXdp,
  type Link,
  MappedArray,
  openKernel,
  possibleCpus,
  type Program,
  type XdpMode,
} from '@evenkeel/bpf';
import { FlowClock } from './flow-clock.ts';
import { type CachedFlow, dumpFlows, type FlowDump, type FlowTarget } from './flow-dump.ts';
import { Guard } from './guard.ts';
import { type GuardRules, parseRules } from './guard-options.ts';
import { type ForwarderFill, isInUse, sampleFill } from './fill.ts';
import { forwarder as forwarderSpec } from './generated/forwarder.ts';
import { type Loaded, loadWithNext } from './load.ts';
import { type ForwarderOptions, type ParsedOptions, parseOptions } from './options.ts';
import { openPinned, pinnedMaps } from './open-pinned.ts';
import type { PinnedState } from './pinned-state.ts';
import { RingStore } from './ring-store.ts';
import { type ParsedRoute, parseSources, type Service, type ServiceState } from './service.ts';
import { ServiceBook } from './service-book.ts';
import { type ForwarderStatistics, readCounts, type Traffic } from './statistics.ts';
import { add, type KeptTarget, TargetTable } from './target-table.ts';
import type { TracedPacket } from './trace.ts';
import type { TraceFilter } from './trace-filter.ts';
import { type Trace, Tracer } from './tracer.ts';
import { type Flow, parseReals, parseVip, type Real, type Vip } from './vip.ts';
import { VipDirectory } from './vip-directory.ts';
import { parseVipOptions, type VipOptions } from './vip-options.ts';
import { findVip, type FlowPlace, parseFlow } from './vip-search.ts';

export interface XdpAttachment {
  /** Name or index of the interface. */
  readonly interface: string | number;
  /** Default `auto`: in the driver if it can, else generic. */
  readonly mode?: XdpMode;
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
    return new Forwarder(loadWithNext(parsed, pinned), parsed, pinned);
  } catch (error) {
    pinned?.close(true);
    throw error;
  }
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
  readonly #services: ServiceBook;
  readonly #links: Link[] = [];
  readonly #tracer: Tracer;
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
    this.#services = new ServiceBook(forwarderSpec.maps.vipRecords.maxEntries, {
      ...{ targets: this.#targets, rings: this.#rings, directory: this.#directory },
      ...{ records: maps.vipRecords, routes: maps.sourceRoutes, serverIds: maps.serverIds },
      ...{ natFamilies: options.nat.families, guard: this.#guard },
    });
    this.#tracer = new Tracer({
      ring: maps.traces,
      names: {
        vip: (number) => this.#serviceOf(number)?.parsed.name ?? `number ${number}`,
        real: (number) => this.#realOfTarget(number),
      },
      setFilter: (filter) => globals.bss.set('traceFilter', filter),
      setOn: (isOn) => {
        globals.bss.set('traceOn', Number(isOn));
        this.#clock.isLongWay = isOn;
      },
      lost: () => globals.bss.get('traceLost'),
    });
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
    const { forward, forwardChained } = this.#object.programs;
    return this.#options.next === undefined ? forward : forwardChained;
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
    const state: ServiceState = {
      options: parseVipOptions(options),
      reals: parseReals(reals, this.#options.nextHop),
      routes: [],
    };
    this.#services.add(parsed, state);
  }

  /**
   * Replaces the reals of a VIP. Flows of reals that stay remain where they are, as far as the gateway remembers them
   * or the ring has not moved them; those of reals that are gone are placed anew with their next packet.
   *
   * @returns whether the ring had to be published
   */
  updateReals(vip: Vip, reals: readonly Real[]): boolean {
    const service = this.#services.get(vip);
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
    const service = this.#services.get(vip);
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
    const service = this.#services.get(vip);
    this.#services.configure(service, parseVipOptions(options));
  }

  /** Its packets are the host's from now on. */
  removeVip(vip: Vip): void {
    this.#services.remove(this.#services.get(vip));
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
    return this.#tracer.start(filter, handle);
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
    return this.placeOf(flow)?.real;
  }

  /** The same with the VIP that takes it; undefined when none does. */
  placeOf(flow: Flow): FlowPlace | undefined {
    const parsed = parseFlow(flow);
    const service = findVip(this.#services.all(), parsed);
    return (
      service && {
        vip: service.parsed.name,
        route: service.routeOf(parsed.bytes.source),
        real: service.realOf(parsed.bytes, this.#options.ringSeed),
      }
    );
  }

  statistics(): ForwarderStatistics {
    const vips = [...this.#services.all()].map((service) => ({
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
    for (const { parsed, targets: reals } of this.#services.all()) {
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
    this.#tracer.close();
    this.#pinned?.close(keep);
    for (const link of this.#links.splice(0)) link.close();
    this.#clock.close();
    this.#rings.close();
    this.#directory.close();
    this.#object.close();
  }

  #serviceOf(number: number): Service | undefined {
    return [...this.#services.all()].find((service) => service.number === number);
  }

  #realOfTarget(number: number): string {
    for (const { targets } of this.#services.all()) {
      const real = targets.get(number);
      if (real !== undefined) return real;
    }
    return `target ${number}`;
  }
}
