/**
 * What this kernel can do, found out by trying: versions say little where distributions backport. Nothing is attached,
 * and nothing stays.
 */
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { nothing } from '../codec/composite.ts';
import { u32 } from '../codec/number.ts';
import { BpfError, errnoName, isBpfError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { missingCapabilities } from '../kernel/capabilities.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { openKernel } from '../kernel/koffi/koffi-kernel.ts';
import { pageBytes } from '../kernel/page-size.ts';
import {
  ATTACH_TYPE,
  COMMAND,
  MAP_FLAG,
  type MapType,
  type ProgramType,
} from '../kernel/uapi.table.ts';
import { createMapFd } from '../map/map-handle.ts';
import { DEFAULT_BPFFS, isBpffsAt } from '../pin/bpffs.ts';
import type { MapSpec } from '../spec/spec.ts';
import { tryProgram } from './trial-program.ts';

/** Whether something is there; if not, why. */
export type Support =
  | { readonly supported: true; readonly reason?: undefined }
  | { readonly supported: false; readonly reason: string };

export interface FeatureReport {
  /** Name of the kernel's release. */
  readonly kernel: string;
  /** Capabilities that loading and attaching take and this process lacks. */
  readonly missingCapabilities: readonly string[];
  /** Types of the running kernel, for CO-RE; this package does not need them. */
  readonly btf: Support;
  /** Programs run as machine code. */
  readonly jit: Support;
  /** A BPF file system is at `/sys/fs/bpf`. */
  readonly bpffs: Support;
  readonly programs: Readonly<Record<ProbedProgram, Support>>;
  readonly maps: Readonly<Record<ProbedMap, Support>>;
  /** Links to traffic control (Linux 6.6). */
  readonly tcx: Support;
}

const PROGRAMS = [
  'xdp',
  'tc',
  'cgroup-sock-addr',
  'cgroup-skb',
  'sock-ops',
  'sk-lookup',
  'syscall',
] as const;
const MAPS = [
  'hash',
  'array',
  'percpu-array',
  'lru-hash',
  'lpm-trie',
  'ringbuf',
  'queue',
  'bloom-filter',
] as const;
type ProbedProgram = (typeof PROGRAMS)[number];
type ProbedMap = (typeof MAPS)[number];

const YES: Support = { supported: true };
const no = (reason: string): Support => ({ supported: false, reason });

/** Tries everything that this package makes use of. Takes a few milliseconds. */
export function probeFeatures(kernel: Kernel = openKernel()): FeatureReport {
  return {
    kernel: release(),
    missingCapabilities: missingCapabilities(['BPF', 'NET_ADMIN', 'PERFMON']),
    btf: existsSync('/sys/kernel/btf/vmlinux') ? YES : no('built without CONFIG_DEBUG_INFO_BTF'),
    jit: probeJit(),
    bpffs: isBpffsAt(kernel, DEFAULT_BPFFS)
      ? YES
      : no(`none is mounted at ${DEFAULT_BPFFS}: see ensureBpffs`),
    programs: record(PROGRAMS, (type) => probeProgram(type, kernel)),
    maps: record(MAPS, (type) => probeMap(type, kernel)),
    tcx: probeTcx(kernel),
  };
}

/** Whether programs of a type can be loaded. */
export function probeProgram(type: ProgramType, kernel: Kernel = openKernel()): Support {
  const { errno } = tryProgram(kernel, { type });
  return errno === 0 ? YES : no(describe(`loading a program of type ${type}`, errno));
}

/**
 * Whether programs of a type may call a helper.
 *
 * @param helper its number, `BPF_FUNC_*` in `<linux/bpf.h>`
 * @throws BpfError when programs of this type cannot be loaded at all
 */
export function probeHelper(
  type: ProgramType,
  helper: number,
  kernel: Kernel = openKernel(),
): boolean {
  const known = tryProgram(kernel, { type });
  if (known.errno !== 0) {
    throw explainFailure({ operation: `loading a program of type ${type}`, errno: known.errno });
  }
  // Without arguments most calls are refused, but a helper that exists is refused for its arguments.
  const { errno, log } = tryProgram(kernel, { type, helper });
  if (errno === 0) return true;
  return !/unknown func|invalid func|cannot use helper/u.test(log);
}

/** Whether maps of a type can be created. */
export function probeMap(type: MapType, kernel: Kernel = openKernel()): Support {
  try {
    closeSync(createMapFd(kernel, sampleOf(type)));
    return YES;
  } catch (error) {
    if (isBpfError(error)) return no(error.message);
    throw error;
  }
}

function sampleOf(type: MapType): MapSpec {
  const base: MapSpec = { name: 'evenkeel_probe', type, key: u32, value: u32, maxEntries: 1 };
  switch (type) {
    case 'ringbuf':
      return { ...base, key: nothing, value: nothing, maxEntries: pageBytes() };
    case 'queue':
    case 'stack':
    case 'bloom-filter':
      return { ...base, key: nothing };
    case 'lpm-trie':
      // A prefix length and at least one byte; never preallocated.
      return { ...base, key: { ...u32, bytes: 8 }, flags: MAP_FLAG.NO_PREALLOC };
    case 'array-of-maps':
    case 'hash-of-maps':
      throw new BpfError(
        'EVENKEEL_BPF_ARGUMENT',
        `${type} needs an inner map: it comes with array and hash`,
      );
    default:
      return base;
  }
}

/** An interface index that does not exist: whoever knows TCX says so, whoever does not knows no such attachment. */
const NO_INTERFACE = 0x7fff_ffff;

function probeTcx(kernel: Kernel): Support {
  let result = 0;
  const { errno } = tryProgram(kernel, { type: 'tc' }, (program) => {
    const attr = new Attr(kernel, 16)
      .u32(0, program)
      .u32(4, NO_INTERFACE)
      .u32(8, ATTACH_TYPE['tcx-ingress']);
    result = kernel.bpf(COMMAND.LINK_CREATE, attr.bytes);
    if (result >= 0) closeSync(result);
  });
  if (errno !== 0) return no(describe('loading a program of type tc', errno));
  return errnoName(-result) === 'ENODEV' ? YES : no(`needs Linux 6.6, this is ${release()}`);
}

function probeJit(): Support {
  try {
    const enabled = readFileSync('/proc/sys/net/core/bpf_jit_enable', 'utf8').trim();
    return enabled === '0' ? no('switched off: sysctl net.core.bpf_jit_enable=1') : YES;
  } catch {
    // Only for root to read; absent in other network namespaces. The first of them always has it.
    return no('net.core.bpf_jit_enable cannot be read here');
  }
}

function describe(operation: string, errno: number): string {
  return explainFailure({ operation, errno, needs: ['BPF', 'NET_ADMIN'] }).message;
}

function record<K extends string>(
  names: readonly K[],
  value: (name: K) => Support,
): Readonly<Record<K, Support>> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, Support>;
}
