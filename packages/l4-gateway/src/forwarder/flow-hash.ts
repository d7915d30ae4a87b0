/** The hash that places a flow on a ring: the same numbers as `bpf/ring.h`. */
import { VipFlag } from './generated/forwarder.ts';

const MASK = (1n << 64n) - 1n;
const MULTIPLIER = 0xd6e8_feb8_6659_fd93n;

export interface FlowBytes {
  readonly family: 4 | 6;
  /** 16 bytes each; IPv4 takes the first four. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** As in IP headers. */
  readonly protocol: number;
}

const NOTHING = new Uint8Array(16);

/** The ports as one word, as the program reads them from the packet on a little-endian machine. */
function portsWord(flow: FlowBytes, flags: number): bigint {
  if ((flags & VipFlag.VIP_THREE_TUPLE) !== 0) return BigInt(flow.protocol);
  const isSource = (flags & VipFlag.VIP_NO_SOURCE_PORT) === 0;
  const isDestination = (flags & VipFlag.VIP_NO_DESTINATION_PORT) === 0;
  return (
    BigInt(isSource ? swap16(flow.sourcePort) : 0) |
    (BigInt(isDestination ? swap16(flow.destinationPort) : 0) << 16n)
  );
}

/**
 * A number of 32 bits.
 *
 * @param flags of the VIP: what does not count
 */
export function ringHash(flow: FlowBytes, seed: bigint, flags = 0): number {
  const ports = portsWord(flow, flags);
  const view = (bytes: Uint8Array, without: number): DataView => {
    const { buffer, byteOffset } = (flags & without) === 0 ? bytes : NOTHING;
    return new DataView(buffer, byteOffset);
  };
  const source = view(flow.source, VipFlag.VIP_NO_SOURCE);
  const destination = view(flow.destination, VipFlag.VIP_NO_DESTINATION);
  let state: bigint;
  if (flow.family === 4) {
    state = mix(seed, (ports << 32n) | BigInt(source.getUint32(0, true)));
    state = mix(state, BigInt(destination.getUint32(0, true)));
  } else {
    state = mix(seed, ports);
    for (const end of [source, destination]) {
      state = mix(state, end.getBigUint64(0, true));
      state = mix(state, end.getBigUint64(8, true));
    }
  }
  return Number(mix(state, 0n) >> 32n);
}

/** The hash scaled to a ring's size, as a multiplication does it without a remainder. */
export function placeOf(hash: number, size: number): number {
  return Number((BigInt(hash) * BigInt(size)) >> 32n);
}

/** One step: exclusive-or, multiply, fold. */
export function mix(state: bigint, word: bigint): bigint {
  const product = ((state ^ word) * MULTIPLIER) & MASK;
  return product ^ (product >> 32n);
}

/** 16 bits in the other byte order. */
export function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}
