import {
  attachTcx,
  attachXdp,
  type BpfError,
  type BpfMap,
  isBpfError,
  type Link,
  type LoadedObject,
  loadObject,
  type PerCpuMap,
  sumOf,
} from '@evenkeel/bpf';
import type { IpPrefix } from '../forwarder/prefix.ts';
import {
  decap as decapSpec,
  DecapCounter,
  type DecapSpec,
  type PrefixKey,
} from './generated/decap.ts';
import type { Encapsulation, ParsedRealOptions } from './options.ts';

/** Packets by what became of them, since the real was set up. Packets that are no tunnel's are not counted. */
export interface DecapsulationCounts {
  /** Delivered, by what was taken off. */
  readonly ipip: bigint;
  readonly gue: bigint;
  readonly gre: bigint;
  /** Dropped: the outer source is not a gateway's. */
  readonly badSource: bigint;
  /** Dropped: the inner destination is not a VIP of this real. */
  readonly notVip: bigint;
  /** Dropped: the frame ends inside a header. */
  readonly truncated: bigint;
  /** Dropped: a version, a header length, or flags that are not supported. */
  readonly badHeader: bigint;
  /** Dropped: lengths that contradict each other or the frame. */
  readonly badLength: bigint;
  /** Dropped: the outer packet is a fragment, so the MTU on the way is too small. */
  readonly fragment: bigint;
  /** Dropped: the inner packet has a TTL of 0. */
  readonly ttl: bigint;
  /** Dropped: marked by a congested router, and the inner transport does not understand the mark (RFC 6040). */
  readonly congestion: bigint;
  /** Dropped: the kernel did not take the header off. */
  readonly failed: bigint;
  /** SYN packets that left with a smaller MSS. */
  readonly clamped: bigint;
}

const ACCEPTED: Readonly<Record<Encapsulation, number>> = { ipip: 1, gue: 2, gre: 4 };

export interface DecapsulatorOptions extends Pick<
  ParsedRealOptions,
  'vips' | 'gateways' | 'encapsulations' | 'guePort'
> {
  readonly addresses: readonly IpPrefix[];
  /** The largest MSS by family; 0: as the system has it. */
  readonly largestMss: { readonly ipv4: number; readonly ipv6: number };
}

type Loaded = LoadedObject<DecapSpec['maps'], DecapSpec['programs'], DecapSpec['globals']>;

/** The programs of a real. Ends with the process. */
export class Decapsulator {
  readonly #object: Loaded;
  readonly #isClamping: boolean;
  readonly #links: Link[] = [];

  /** @throws BpfError for what the kernel refuses */
  constructor(options: DecapsulatorOptions) {
    const { ipv4, ipv6 } = options.largestMss;
    this.#isClamping = ipv4 > 0 || ipv6 > 0;
    this.#object = loadObject(decapSpec, {
      constants: {
        accepted: options.encapsulations.reduce((bits, name) => bits | ACCEPTED[name], 0),
        guePort: options.guePort,
        largestMss4: ipv4,
        largestMss6: ipv6,
      },
    });
    try {
      const { gateways, addresses, vips } = this.#object.maps;
      fill(gateways, options.gateways);
      fill(addresses, options.addresses);
      fill(vips, options.vips);
    } catch (error) {
      this.#object.close();
      throw error;
    }
  }

  /** For test runs. */
  get programs(): Loaded['programs'] {
    return this.#object.programs;
  }

  /** @returns where: for `auto`, what was possible */
  attach({ interface: name, hook, mode }: AttachRequest): 'xdp' | 'tc' {
    if (this.#isClamping) {
      const clamp = { interface: name, direction: 'egress' } as const;
      this.#links.push(attachTcx(this.programs.clampMss, clamp));
    }
    if (hook !== 'tc') {
      try {
        this.#links.push(attachXdp(this.programs.decapsulate, { interface: name, mode }));
        return 'xdp';
      } catch (error) {
        if (hook === 'xdp' || !isOccupied(error)) throw error;
      }
    }
    const ingress = { interface: name, direction: 'ingress', position: 'first' } as const;
    this.#links.push(attachTcx(this.programs.decapsulateTc, ingress));
    return 'tc';
  }

  statistics(): DecapsulationCounts {
    return readCounts(this.#object.maps.counters);
  }

  /** Idempotent. */
  close(): void {
    for (const link of this.#links.splice(0)) link.close();
    this.#object.close();
  }
}

export type AttachRequest = Pick<ParsedRealOptions, 'interface' | 'hook' | 'mode'>;

/** Another program is there, or the driver cannot: TC ingress is still free. */
function isOccupied(error: unknown): error is BpfError {
  if (!isBpfError(error)) return false;
  return ['EBUSY', 'EEXIST', 'EOPNOTSUPP', 'ERANGE'].includes(error.errnoName ?? '');
}

function fill(map: BpfMap<PrefixKey, number>, prefixes: readonly IpPrefix[]): void {
  for (const { address, bits } of prefixes) {
    map.update({ bits: 32 + bits, family: address.family, address: address.bytes }, 1);
  }
}

function readCounts(counters: PerCpuMap<number, bigint>): DecapsulationCounts {
  const read = (counter: number): bigint => sumOf(counters, counter);
  return {
    ipip: read(DecapCounter.DECAP_IPIP),
    gue: read(DecapCounter.DECAP_GUE),
    gre: read(DecapCounter.DECAP_GRE),
    badSource: read(DecapCounter.DECAP_BAD_SOURCE),
    notVip: read(DecapCounter.DECAP_NOT_VIP),
    truncated: read(DecapCounter.DECAP_TRUNCATED),
    badHeader: read(DecapCounter.DECAP_BAD_HEADER),
    badLength: read(DecapCounter.DECAP_BAD_LENGTH),
    fragment: read(DecapCounter.DECAP_FRAGMENT),
    ttl: read(DecapCounter.DECAP_TTL),
    congestion: read(DecapCounter.DECAP_CONGESTION),
    failed: read(DecapCounter.DECAP_FAILED),
    clamped: read(DecapCounter.DECAP_CLAMPED),
  };
}
