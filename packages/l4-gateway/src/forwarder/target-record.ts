/** What the program is told about a real: `struct target`. */
import { ForwardKind, type Target } from './generated/forwarder.ts';
import type { ParsedReal } from './vip.ts';
import type { ParsedVipOptions } from './vip-options.ts';

/** Bytes of the outer header, by family of the real. */
const OUTER_BYTES = { 4: 20, 6: 40 } as const;

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
  spare: new Uint8Array(10),
};

/** @param mtu of the path to the reals */
export function targetRecord(
  real: ParsedReal,
  { vip, options }: TargetContext,
  mtu: number,
): Omit<Target, 'generation'> {
  const { bytes: address, family } = real.address;
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
    maxBytes: forward === ForwardKind.FORWARD_IPIP ? mtu - OUTER_BYTES[family] : 0xffff,
  };
}

function forwardKind(real: ParsedReal, { deadReals }: ParsedVipOptions): number {
  if (real.isDown && deadReals === 'reset') return ForwardKind.FORWARD_RESET;
  return real.isLocal ? ForwardKind.FORWARD_LOCAL : ForwardKind.FORWARD_IPIP;
}
