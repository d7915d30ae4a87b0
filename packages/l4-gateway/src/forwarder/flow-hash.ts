/** The hash that places a flow on a ring: the same numbers as `bpf/ring.h`. */

const MASK = (1n << 64n) - 1n;
const MULTIPLIER = 0xd6e8_feb8_6659_fd93n;

export interface FlowBytes {
  readonly family: 4 | 6;
  /** 16 bytes each; IPv4 takes the first four. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A number of 32 bits. */
export function ringHash(flow: FlowBytes, seed: bigint): number {
  // The program reads words of the packet as they lie in memory, on a little-endian machine.
  const ports = BigInt(swap16(flow.sourcePort)) | (BigInt(swap16(flow.destinationPort)) << 16n);
  const source = new DataView(flow.source.buffer, flow.source.byteOffset);
  const destination = new DataView(flow.destination.buffer, flow.destination.byteOffset);
  let state: bigint;
  if (flow.family === 4) {
    state = mix(seed, (ports << 32n) | BigInt(source.getUint32(0, true)));
    state = mix(state, BigInt(destination.getUint32(0, true)));
  } else {
    state = mix(seed, ports);
    for (const view of [source, destination]) {
      state = mix(state, view.getBigUint64(0, true));
      state = mix(state, view.getBigUint64(8, true));
    }
  }
  return Number(mix(state, 0n) >> 32n);
}

/** The hash scaled to a ring's size, as a multiplication does it without a remainder. */
export function placeOf(hash: number, size: number): number {
  return Number((BigInt(hash) * BigInt(size)) >> 32n);
}

function mix(state: bigint, word: bigint): bigint {
  const product = ((state ^ word) * MULTIPLIER) & MASK;
  return product ^ (product >> 32n);
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >> 8);
}
