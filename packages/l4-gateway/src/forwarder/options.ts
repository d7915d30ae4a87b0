import { secondsUp } from '../runtime/clock.ts';
import { parseAddress, parseMac, wrong } from './address.ts';
import { type GuardOptions, parseGuard, type ParsedGuard } from './guard-options.ts';
import { assertNext, type NextOptions } from './next-slot.ts';
import { type NatOptions, parseNat, type ParsedNat } from './nat-options.ts';

export interface ForwarderOptions {
  /**
   * Ethernet address of the router that carries packets to the reals; usually the one that also brings them here.
   */
  readonly nextHop: string;
  /**
   * Largest packet towards the reals, in bytes, outer header included and Ethernet not: the interface's MTU.
   * 576 to 9000, default 1500. What would be larger is dropped and counted.
   */
  readonly mtu?: number;
  /**
   * Flows that each CPU remembers, 4096 to 16777216, rounded up to a power of two. 16 bytes each, allocated at once for
   * every possible CPU. Default 262144: 4 MiB a CPU.
   */
  readonly flowsPerCpu?: number;
  /** Base of the hash that places flows on rings: equal on all gateways for a VIP. 64 bits, default 0. */
  readonly ringSeed?: bigint;
  /**
   * Where outer source addresses are taken from. Default 172.16.0.0 (the last 16 bits come from the flow) and 100::
   * (the last 32 bits do).
   */
  readonly outerSource?: { readonly ipv4?: string; readonly ipv6?: string };
  /**
   * Rings that there can be at a time, 1 to 4096: one for each VIP, one more for each of its source routes. 131 KB each,
   * allocated at once. Default 64.
   */
  readonly maxRings?: number;
  /**
   * Answers of the gateway's own (echo replies, "too big", resets) a second and CPU, 0 to 1000000. Default 1000.
   */
  readonly repliesPerSecond?: number;
  /** Seconds of a clock that goes on when the process is started again. Default: since the machine was started. */
  readonly clock?: () => number;
  /** What `forward: 'nat'` needs. Default: there is no NAT. */
  readonly nat?: NatOptions;
  /**
   * Room for a program of somebody else's, which gets every packet that is left to the host before the host does: an
   * interface takes one XDP program. Default: there is none.
   */
  readonly next?: NextOptions;
  /** Makes room for access lists and limits. Default: there are none, and they cost nothing. */
  readonly guard?: GuardOptions;
  /**
   * Lets the program outlive this process, pinned below `/sys/fs/bpf/evenkeel/<name>`, and takes over what a
   * predecessor of the same name left there. Default: it ends with the process.
   */
  readonly pins?: { readonly name: string };
}

export interface ParsedOptions {
  readonly nextHop: Uint8Array;
  readonly mtu: number;
  readonly bucketsPerCpu: number;
  readonly ringSeed: bigint;
  readonly outerSource4: Uint8Array;
  readonly outerSource6: Uint8Array;
  readonly maxRings: number;
  readonly repliesPerSecond: number;
  readonly clock: () => number;
  readonly nat: ParsedNat;
  readonly guard: ParsedGuard;
  readonly next: NextOptions | undefined;
}

const FLOWS_PER_BUCKET = 4;

/** @throws ConfigError */
export function parseOptions(options: ForwarderOptions): ParsedOptions {
  const { mtu = 1_500, flowsPerCpu = 262_144, ringSeed = 0n, outerSource = {} } = options;
  const { maxRings = 64, repliesPerSecond = 1_000, clock = secondsUp } = options;
  const between = (path: string, value: number, [least, most]: readonly [number, number]): void => {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    throw wrong(path, `an integer from ${least} to ${most}`, value);
  };
  if (options.next !== undefined) assertNext(options.next);
  between('mtu', mtu, [576, 9_000]);
  between('flowsPerCpu', flowsPerCpu, [4_096, 16_777_216]);
  between('maxRings', maxRings, [1, 4_096]);
  between('repliesPerSecond', repliesPerSecond, [0, 1_000_000]);
  if (ringSeed < 0n || ringSeed >= 1n << 64n) {
    throw wrong('ringSeed', 'an integer of 64 bits', String(ringSeed));
  }
  return {
    nextHop: parseMac(options.nextHop, 'nextHop'),
    mtu,
    bucketsPerCpu: 2 ** Math.ceil(Math.log2(flowsPerCpu / FLOWS_PER_BUCKET)),
    ringSeed,
    outerSource4: prefix(outerSource.ipv4 ?? '172.16.0.0', { family: 4, bytes: 2 }),
    outerSource6: prefix(outerSource.ipv6 ?? '100::', { family: 6, bytes: 12 }),
    maxRings,
    repliesPerSecond,
    clock,
    nat: parseNat(options.nat),
    guard: parseGuard(options.guard),
    next: options.next,
  };
}

function prefix(text: string, wanted: { family: 4 | 6; bytes: number }): Uint8Array {
  const path = `outerSource.ipv${wanted.family}`;
  const { family, bytes } = parseAddress(text, path);
  const rest = bytes.subarray(wanted.bytes);
  if (family === wanted.family && rest.every((byte) => byte === 0)) {
    return bytes.slice(0, family === 4 ? 4 : 16);
  }
  throw wrong(path, `an IPv${wanted.family} prefix of ${wanted.bytes * 8} bits`, text);
}
