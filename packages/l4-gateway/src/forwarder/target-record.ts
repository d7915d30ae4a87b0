/** What the program is told about a real: `struct target`. */
import { kindOf, overheadOf } from './forward-mode.ts';
import { ForwardKind, type Target } from './generated/forwarder.ts';
import type { ParsedReal } from './vip.ts';
import type { ParsedVipOptions } from './vip-options.ts';

/** What a record takes from its VIP and from the forwarder. */
export interface TargetContext {
  /** Number of the VIP. */
  readonly vip: number;
  readonly options: ParsedVipOptions;
}

/** A number that is free. */
export const NOBODY: Omit<Target, 'generation'> = {
  address: new Uint8Array(16),
  nextHop: new Uint8Array(6),
  family: 0,
  forward: 0,
  vip: 0,
  idleTcp: 0,
  idleUdp: 0,
  idleClosing: 0,
  outerPort: 0,
  maxBytes: 0,
  outerSource: new Uint8Array(16),
  plainSource: new Uint8Array(4),
  plainSpread: 0,
  plainSum: 0,
  spare: new Uint8Array(2),
};

/** The way to the reals. */
export interface Path {
  readonly mtu: number;
  /** Prefix of the outer source, 16 bits. */
  readonly outerSource4: Uint8Array;
}

export function targetRecord(
  real: ParsedReal,
  { vip, options }: TargetContext,
  { mtu, outerSource4 }: Path,
): Omit<Target, 'generation'> {
  const { bytes: address, family } = real.address;
  const mode = real.forward ?? options.forward;
  const forward = forwardKind(real, options);
  return {
    ...NOBODY,
    address,
    nextHop: real.nextHop,
    family,
    forward,
    vip,
    idleTcp: options.idle.tcp,
    idleUdp: options.idle.udp,
    idleClosing: options.idle.closing,
    outerPort: mode === 'gue' ? options.guePort : real.port,
    maxBytes: forward === kindOf(mode) ? mtu - overheadOf(mode, family) : 0xffff,
    plainSource: outerSource4,
    plainSpread: 0xffff,
    plainSum: sumOfConstants(outerSource4, address),
  };
}

/** TTL 64 and protocol 4, as they lie in the header. */
const TTL_AND_PROTOCOL = 0x0440;

/** The part of the outer header's sum (RFC 1071) that is the same for all packets of a target. */
function sumOfConstants(source: Uint8Array, destination: Uint8Array): number {
  let sum = TTL_AND_PROTOCOL;
  for (const { buffer, byteOffset } of [source, destination]) {
    const view = new DataView(buffer, byteOffset);
    sum += view.getUint16(0, true) + view.getUint16(2, true);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

function forwardKind(real: ParsedReal, { deadReals, forward }: ParsedVipOptions): number {
  if (real.isDown && deadReals === 'reset') return ForwardKind.FORWARD_RESET;
  return real.isLocal ? ForwardKind.FORWARD_LOCAL : kindOf(real.forward ?? forward);
}
