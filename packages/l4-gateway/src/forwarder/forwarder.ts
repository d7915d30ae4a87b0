import { randomBytes } from 'node:crypto';
import {
  attachXdp,
  type Link,
  type LoadedObject,
  loadObject,
  possibleCpus,
  type Program,
  type XdpMode,
} from '@evenkeel/bpf';
import { parseAddress, wrong } from './address.ts';
import { placeOf, ringHash } from './flow-hash.ts';
import { forwarder as forwarderSpec, type ForwarderSpec } from './generated/forwarder.ts';
import { type ForwarderOptions, type ParsedOptions, parseOptions } from './options.ts';
import { buildRing, equalRings, RING_SIZE } from './ring.ts';
import { type ForwarderStatistics, readCounts, type Traffic } from './statistics.ts';
import { add, TargetTable } from './target-table.ts';
import {
  type Flow,
  type ParsedReal,
  type ParsedVip,
  parsePort,
  parseReals,
  parseVip,
  type Real,
  type Vip,
} from './vip.ts';
import { VipTables } from './vip-tables.ts';

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

interface Member {
  readonly real: ParsedReal;
  readonly number: number;
}

interface Service {
  readonly parsed: ParsedVip;
  members: ReadonlyMap<string, Member>;
  ring: Uint16Array;
  /** Of reals that have left. */
  past: Traffic;
}

const NO_TRAFFIC: Traffic = { packets: 0n, bytes: 0n };

/**
 * Loads the program. Nothing is attached and no VIP is known yet.
 *
 * @throws ConfigError for wrong options
 * @throws BpfError for what the kernel refuses: `EVENKEEL_BPF_PERMISSION` names the missing capability
 */
export function openForwarder(options: ForwarderOptions): Forwarder {
  const parsed = parseOptions(options);
  const object = loadObject(forwarderSpec, {
    constants: {
      flowKeys: randomKeys(40),
      ringSeed: parsed.ringSeed,
      buckets: parsed.bucketsPerCpu,
      maxPacket: parsed.mtu,
      outerSource4: parsed.outerSource4,
      outerSource6: parsed.outerSource6,
    },
    maxEntries: { flows: parsed.bucketsPerCpu * possibleCpus() },
  });
  return new Forwarder(object, parsed);
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
  readonly #vips: VipTables;
  readonly #services = new Map<string, Service>();
  readonly #links: Link[] = [];

  /** Use {@link openForwarder}. */
  constructor(object: Loaded, options: ParsedOptions) {
    this.#object = object;
    this.#options = options;
    this.#vips = new VipTables(object.maps);
    this.#targets = new TargetTable(object.maps, forwarderSpec.maps.targets.maxEntries);
  }

  /** The program, for test runs. */
  get program(): Program<'xdp'> {
    return this.#object.programs.forward;
  }

  /** What its tables take, in bytes; a VIP adds 131 KB. All of it is allocated when the forwarder is opened. */
  get tableBytes(): number {
    const cpus = possibleCpus();
    const { targets, targetTraffic, flows } = this.#object.maps;
    const perTarget = targets.spec.value.bytes + targetTraffic.spec.value.bytes * cpus;
    return perTarget * targets.spec.maxEntries + flows.spec.value.bytes * flows.info().maxEntries;
  }

  /**
   * Adds a VIP, which is served from now on wherever the program is attached.
   *
   * @throws ConfigError for a VIP that is there already, and for wrong reals
   * @throws BpfError `EVENKEEL_BPF_LIMIT` for more than 512 VIPs of a family, or 4095 pairs of VIP and real
   */
  addVip(vip: Vip, reals: readonly Real[]): void {
    const parsed = parseVip(vip);
    if (this.#services.has(parsed.name)) throw wrong('vip', 'a VIP that is new', parsed.name);
    const service: Service = {
      parsed,
      members: new Map(),
      ring: new Uint16Array(RING_SIZE),
      past: NO_TRAFFIC,
    };
    this.#change(service, parseReals(reals, this.#options.nextHop), true);
    this.#services.set(parsed.name, service);
    this.#vips.addAddress(parsed);
  }

  /**
   * Replaces the reals of a VIP. Flows of reals that stay remain where they are, as far as the gateway remembers them
   * or the ring has not moved them; those of reals that are gone are placed anew with their next packet.
   *
   * @returns whether the ring had to be published
   */
  updateReals(vip: Vip, reals: readonly Real[]): boolean {
    return this.#change(this.#service(vip), parseReals(reals, this.#options.nextHop), false);
  }

  /** Its packets are the host's from now on. */
  removeVip(vip: Vip): void {
    const service = this.#service(vip);
    this.#vips.withdraw(service.parsed);
    this.#services.delete(service.parsed.name);
    for (const { number } of service.members.values()) this.#targets.release(number);
    const { address } = service.parsed;
    const isShared = [...this.#services.values()].some(
      (other) => other.parsed.address.text === address.text,
    );
    if (!isShared) this.#vips.removeAddress(service.parsed);
  }

  /**
   * Attaches the program to an interface. Add the VIPs first: the route to them may be announced afterwards.
   *
   * @throws BpfError `EVENKEEL_BPF_EXISTS` when another program is attached
   */
  attach(attachment: XdpAttachment): Link {
    const link = attachXdp(this.program, attachment);
    this.#links.push(link);
    return link;
  }

  /**
   * The address of the real that a new flow would get; the program computes the same. Undefined when no VIP takes it,
   * or the VIP has no real. A flow that the gateway remembers may be elsewhere.
   */
  realOf(flow: Flow): string | undefined {
    const { destination, destinationPort, protocol } = flow;
    const parsed = parseVip({ address: destination, port: destinationPort, protocol });
    const source = parseAddress(flow.source, 'flow.source');
    const service = this.#services.get(parsed.name);
    if (source.family !== parsed.address.family) {
      throw wrong('flow.source', `an IPv${parsed.address.family} address`, flow.source);
    }
    if (service === undefined) return undefined;
    const hash = ringHash(
      {
        family: source.family,
        source: source.bytes,
        destination: parsed.address.bytes,
        sourcePort: parsePort(flow.sourcePort, 'flow.sourcePort'),
        destinationPort,
      },
      this.#options.ringSeed,
    );
    const number = service.ring[placeOf(hash, RING_SIZE)];
    return [...service.members.values()].find((member) => member.number === number)?.real.address
      .text;
  }

  statistics(): ForwarderStatistics {
    const vips = [...this.#services.values()].map((service) => {
      const reals = [...service.members.values()].map(({ real, number }) => ({
        address: real.address.text,
        weight: real.weight,
        ...this.#targets.traffic(number),
      }));
      return { vip: service.parsed.vip, ...reals.reduce<Traffic>(add, service.past), reals };
    });
    return { vips, packets: readCounts(this.#object.maps.counters) };
  }

  /** Detaches and gives everything back. Idempotent. */
  close(): void {
    for (const link of this.#links.splice(0)) link.close();
    this.#object.close();
  }

  #service(vip: Vip): Service {
    const { name } = parseVip(vip);
    const service = this.#services.get(name);
    if (service !== undefined) return service;
    throw wrong('vip', `a VIP that was added (${[...this.#services.keys()].join(', ')})`, name);
  }

  /** New reals get their records before the ring names them, and old ones lose theirs after it has let go of them. */
  #change(service: Service, reals: ReadonlyMap<string, ParsedReal>, isNew: boolean): boolean {
    const added: number[] = [];
    const members = new Map<string, Member>();
    let isPublished = false;
    try {
      for (const [text, real] of reals) {
        const known = service.members.get(text);
        const number = known?.number ?? this.#targets.allocate(real);
        if (known === undefined) added.push(number);
        members.set(text, { real, number });
      }
      const ring = buildRing(
        Array.from(members, ([address, { real, number }]) => ({
          address,
          weight: real.weight,
          number,
        })),
      );
      isPublished = isNew || !equalRings(ring, service.ring);
      if (isPublished) this.#vips.publish(service.parsed, ring);
      service.ring = ring;
    } catch (error) {
      for (const number of added) this.#targets.release(number);
      throw error;
    }
    const former = service.members;
    service.members = members;
    for (const [text, { number, real }] of former) {
      const now = members.get(text);
      if (now === undefined) {
        service.past = add(service.past, this.#targets.traffic(number));
        this.#targets.release(number);
      } else if (!sameBytes(now.real.nextHop, real.nextHop)) this.#targets.write(number, now.real);
    }
    return isPublished;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
