import { type PerCpuMap, sumOf } from '@evenkeel/bpf';
import { Counter } from './generated/forwarder.ts';
import type { Vip } from './vip.ts';

export interface Traffic {
  readonly packets: bigint;
  /** Of IP packets as clients sent them. */
  readonly bytes: bigint;
}

export interface RealStatistics extends Traffic {
  readonly address: string;
  readonly weight: number;
}

/** Totals since the VIP was added, reals that have left included. */
export interface VipStatistics extends Traffic {
  readonly vip: Vip;
  readonly reals: readonly RealStatistics[];
}

/** Packets by what became of them, since the forwarder was opened. */
export interface PacketCounts {
  /** Placed by the ring because the flow cache did not know the flow. */
  readonly newFlow: bigint;
  /** TCP and UDP left to the host because no VIP has this address, port and protocol. */
  readonly passedNoVip: bigint;
  /** Dropped: the frame ends inside a header. */
  readonly truncated: bigint;
  /** Dropped: a version or a header length that cannot be. */
  readonly badHeader: bigint;
  /** Dropped: lengths that contradict each other or the frame. */
  readonly badLength: bigint;
  /** Dropped: a fragment for a VIP's address. */
  readonly fragment: bigint;
  /** Dropped: IPv4 options or an IPv6 extension header, for a VIP's address. */
  readonly options: bigint;
  /** Dropped: a VIP without reals. */
  readonly noReal: bigint;
  /** Dropped: larger than the MTU once it is encapsulated. */
  readonly tooBig: bigint;
  /** Dropped: the driver left no room for the outer header. */
  readonly noHeadroom: bigint;
}

export interface ForwarderStatistics {
  readonly vips: readonly VipStatistics[];
  readonly packets: PacketCounts;
}

export function readCounts(counters: PerCpuMap<number, bigint>): PacketCounts {
  const read = (counter: number): bigint => sumOf(counters, counter);
  return {
    newFlow: read(Counter.COUNTER_NEW_FLOW),
    passedNoVip: read(Counter.COUNTER_PASSED_NO_VIP),
    truncated: read(Counter.COUNTER_TRUNCATED),
    badHeader: read(Counter.COUNTER_BAD_HEADER),
    badLength: read(Counter.COUNTER_BAD_LENGTH),
    fragment: read(Counter.COUNTER_FRAGMENT),
    options: read(Counter.COUNTER_OPTIONS),
    noReal: read(Counter.COUNTER_NO_REAL),
    tooBig: read(Counter.COUNTER_TOO_BIG),
    noHeadroom: read(Counter.COUNTER_NO_HEADROOM),
  };
}
