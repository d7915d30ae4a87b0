/** Attaching programs. Every function returns a {@link Link}: closing it detaches. */
import { closeSync, openSync } from 'node:fs';
import { argumentError, BpfError } from '../error/bpf-error.ts';
import type { AttachType, ProgramType } from '../kernel/uapi.table.ts';
import type { Program } from '../program/program.ts';
import { createLink, interfaceIndexOf } from './create-link.ts';
import type { Link } from './link.ts';

export interface XdpOptions {
  /** Name or index of the interface. */
  readonly interface: string | number;
  /**
   * `native`: in the driver. `generic`: after the kernel has made a socket buffer, with any driver, several times
   * slower. `offload`: in the card. Default `auto`: native if the driver can, else generic.
   */
  readonly mode?: XdpMode;
}

export type XdpMode = 'auto' | 'native' | 'generic' | 'offload';

/** From `<linux/if_link.h>`. */
const XDP_FLAGS: Readonly<Record<XdpMode, number>> = { auto: 0, generic: 2, native: 4, offload: 8 };

/** Attaches to an interface's receive path. An interface takes one XDP program: `EVENKEEL_BPF_EXISTS` when it has one. */
export function attachXdp(program: Program<'xdp'>, options: XdpOptions): Link {
  const { mode = 'auto' } = options;
  const notOffloaded =
    'the card does not run this program: it would have to be loaded for that card; use mode "native" or "generic"';
  return createLink(program.kernel, {
    program,
    target: `interface ${options.interface}`,
    targetNumber: interfaceIndexOf(program.kernel, options.interface),
    attachType: 'xdp',
    flags: XDP_FLAGS[mode],
    feature: { name: 'an XDP link', since: [5, 9] },
    hints: {
      EBUSY:
        'another program is attached (ip link show): detach it, or replace it through its own link',
      EEXIST: 'another program is attached (ip link show): detach it first',
      EOPNOTSUPP:
        mode === 'offload'
          ? notOffloaded
          : 'the driver has no native XDP, or not with this MTU or these offloads: use mode "generic"',
      ...(mode === 'offload' ? { EINVAL: notOffloaded } : {}),
      ERANGE: 'the MTU is too large for XDP in this driver',
    },
  });
}

export interface TcxOptions {
  readonly interface: string | number;
  readonly direction: 'ingress' | 'egress';
  /** Where among the programs there: at the `first` or `last` (default) place. */
  readonly position?: 'first' | 'last';
}

/** From `<linux/bpf.h>`: BPF_F_BEFORE and BPF_F_AFTER, without a neighbour, mean first and last. */
const POSITION_FLAGS = { first: 8, last: 16 } as const;

/** Attaches to an interface's traffic control, both directions, next to others. Linux 6.6. */
export function attachTcx(program: Program<'tc'>, options: TcxOptions): Link {
  const { position = 'last', direction } = options;
  return createLink(program.kernel, {
    program,
    target: `interface ${options.interface}`,
    targetNumber: interfaceIndexOf(program.kernel, options.interface),
    attachType: `tcx-${direction}`,
    flags: POSITION_FLAGS[position],
    feature: { name: 'a TCX link', since: [6, 6] },
    hints: { EEXIST: 'this program is attached there already' },
  });
}

/** Types of programs that belong to a cgroup. */
export type CgroupProgramType = Extract<ProgramType, `cgroup-${string}` | 'sock-ops'>;

export interface CgroupOptions {
  /** Path of the cgroup's folder, below a cgroup v2 mount. */
  readonly cgroup: string;
  /** Default: what the program's section says. */
  readonly attachType?: AttachType;
}

/** Attaches to all processes of a cgroup and those below it, next to what others attached. */
export function attachCgroup(program: Program<CgroupProgramType>, options: CgroupOptions): Link {
  const attachType = options.attachType ?? program.spec.attachType;
  if (attachType === undefined) {
    throw argumentError(
      `program "${program.spec.name}": its section does not say where it is attached: pass attachType`,
    );
  }
  return withFile(options.cgroup, (fd) =>
    createLink(program.kernel, {
      program,
      target: `cgroup ${options.cgroup}`,
      targetNumber: fd,
      attachType,
      feature: { name: 'a cgroup link', since: [5, 7] },
      hints: {
        EBADF: 'this folder is not in a cgroup v2 hierarchy (grep cgroup2 /proc/mounts)',
        EPERM:
          'a program above this cgroup was attached in a way that allows no other (bpftool cgroup tree)',
      },
    }),
  );
}

export interface NetnsOptions {
  /** Path of the network namespace: `/proc/thread-self/ns/net`, which is the default, or `/run/netns/NAME`. */
  readonly netns?: string;
}

/** Attaches to the lookup of listening sockets in a network namespace. */
export function attachSkLookup(program: Program<'sk-lookup'>, options: NetnsOptions = {}): Link {
  const { netns = '/proc/thread-self/ns/net' } = options;
  return withFile(netns, (fd) =>
    createLink(program.kernel, {
      program,
      target: `network namespace ${netns}`,
      targetNumber: fd,
      attachType: 'sk-lookup',
      feature: { name: 'an sk_lookup link', since: [5, 9] },
      hints: {
        EINVAL: 'this is not a network namespace',
        E2BIG: '64 programs are attached there already',
      },
    }),
  );
}

/** The target's own descriptor is needed for the call only: a link holds on to its target by itself. */
function withFile<T>(path: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new BpfError(
      'EVENKEEL_BPF_NOT_FOUND',
      `cannot open ${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
