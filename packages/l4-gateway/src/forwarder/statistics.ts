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
  /** Dropped: a fragment for a VIP's address that takes none. */
  readonly fragment: bigint;
  /** Dropped: IPv4 options or IPv6 extension headers, for a VIP that takes none. */
  readonly options: bigint;
  /** Dropped: a VIP without reals. */
  readonly noReal: bigint;
  /** Dropped: larger than the MTU once it is encapsulated. */
  readonly tooBig: bigint;
  /** Dropped: the driver left no room for the outer header. */
  readonly noHeadroom: bigint;
  /** Dropped: a kind of forwarding that the program does not know. */
  readonly unknownForward: bigint;
  /** ICMP errors that went to the real of the flow that they are about. */
  readonly icmpForwarded: bigint;
  /** Dropped: ICMP for a VIP's address that is neither an error about one of its flows nor an echo request. */
  readonly icmpDropped: bigint;
  /** Echo requests for a VIP, answered. */
  readonly echoAnswered: bigint;
  /** Packets that did not fit, whose sender was told the size that does. */
  readonly tooBigSent: bigint;
  /** Packets for a dead real that were answered with a TCP reset. */
  readonly resetSent: bigint;
  /** Dropped instead of answered: too many answers in this second. */
  readonly replyLimited: bigint;
  /** Left to the host, which is the real. */
  readonly local: bigint;
  /** Placed by a QUIC connection id. */
  readonly quicRouted: bigint;
  /** QUIC connection ids that no real has; placed by the cache or the ring. */
  readonly quicUnknown: bigint;
  /** Connections that got a source port. */
  readonly natOpened: bigint;
  /** Packets of reals that went to their clients. */
  readonly natReturned: bigint;
  /** Of no connection that is known (any more): dropped when from a real, answered with a reset when from a client. */
  readonly natUnknown: bigint;
  /** Dropped: no source port was free for a new connection. */
  readonly natExhausted: bigint;
  /** Dropped: from a source that may not come in. */
  readonly denied: bigint;
  /** Dropped: more packets of a source than it may send. */
  readonly sourceLimited: bigint;
  /** Dropped: more new flows of a source than it may open. */
  readonly sourceFlowsLimited: bigint;
  /** Dropped: more packets than the VIP takes. */
  readonly vipLimited: bigint;
  /** Dropped: more new flows than the VIP takes. */
  readonly vipFlowsLimited: bigint;
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
    unknownForward: read(Counter.COUNTER_UNKNOWN_FORWARD),
    icmpForwarded: read(Counter.COUNTER_ICMP_FORWARDED),
    icmpDropped: read(Counter.COUNTER_ICMP_DROPPED),
    echoAnswered: read(Counter.COUNTER_ECHO_ANSWERED),
    tooBigSent: read(Counter.COUNTER_TOO_BIG_SENT),
    resetSent: read(Counter.COUNTER_RESET_SENT),
    replyLimited: read(Counter.COUNTER_REPLY_LIMITED),
    local: read(Counter.COUNTER_LOCAL),
    quicRouted: read(Counter.COUNTER_QUIC_ROUTED),
    quicUnknown: read(Counter.COUNTER_QUIC_UNKNOWN),
    natOpened: read(Counter.COUNTER_NAT_OPENED),
    natReturned: read(Counter.COUNTER_NAT_RETURNED),
    natUnknown: read(Counter.COUNTER_NAT_UNKNOWN),
    natExhausted: read(Counter.COUNTER_NAT_EXHAUSTED),
    denied: read(Counter.COUNTER_DENIED),
    sourceLimited: read(Counter.COUNTER_SOURCE_LIMITED),
    sourceFlowsLimited: read(Counter.COUNTER_SOURCE_FLOWS_LIMITED),
    vipLimited: read(Counter.COUNTER_VIP_LIMITED),
    vipFlowsLimited: read(Counter.COUNTER_VIP_FLOWS_LIMITED),
  };
}
