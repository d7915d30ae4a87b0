import { Attr } from '../kernel/attr.ts';
import { Descriptor } from '../kernel/descriptor.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes } from '../kernel/memory.ts';
import { ATTACH_TYPE, type AttachType, COMMAND } from '../kernel/uapi.table.ts';

/** What the kernel says about a link. */
export interface LinkInfo {
  readonly id: number;
  readonly kind: LinkKind | undefined;
  /** The program that is attached right now. */
  readonly programId: number;
  /** Index of the interface of an XDP or TCX link; 0 when it is gone. */
  readonly interfaceIndex?: number;
  /** Identity of the cgroup of a cgroup link; 0 when it is gone. */
  readonly cgroupId?: bigint;
  readonly attachType?: AttachType;
}

/** `enum bpf_link_type`, as far as this package makes them. */
const KINDS = { cgroup: 3, netns: 5, xdp: 6, tcx: 11 } as const;
export type LinkKind = keyof typeof KINDS;

/** Anything with a program's descriptor; {@link Program} is one. */
export interface AttachableProgram {
  readonly fd: number;
  readonly spec: { readonly name: string };
}

/**
 * An attachment that lives as long as its descriptor: when the process ends, however it ends, the kernel detaches. Only
 * a pin (`pinLink`) makes it stay.
 */
export class Link {
  /** What is attached to what, for messages. */
  readonly description: string;
  readonly kernel: Kernel;
  readonly #descriptor: Descriptor;

  constructor(kernel: Kernel, description: string, fd: number) {
    this.kernel = kernel;
    this.description = description;
    this.#descriptor = new Descriptor(fd, `link (${description})`);
  }

  get fd(): number {
    return this.#descriptor.fd;
  }

  get isOpen(): boolean {
    return this.#descriptor.isOpen;
  }

  info(): LinkInfo {
    return linkInfo(this.kernel, this.fd);
  }

  /**
   * Puts another program in place, in one step: no packet and no call sees neither of the two.
   *
   * @param expected when given, the exchange happens only if this program is the one in place
   * @throws BpfError `EVENKEEL_BPF_EXISTS` when another one is
   */
  update(program: AttachableProgram, expected?: AttachableProgram): void {
    const attr = new Attr(this.kernel, 16).u32(0, this.fd).u32(4, program.fd);
    // BPF_F_REPLACE: only if the old program is the one named.
    if (expected !== undefined) attr.u32(8, 4).u32(12, expected.fd);
    const result = this.kernel.bpf(COMMAND.LINK_UPDATE, attr.bytes);
    if (result >= 0) return;
    throw explainFailure({
      operation: `replacing the program of the link (${this.description}) by "${program.spec.name}"`,
      errno: -result,
      needs: ['BPF', 'NET_ADMIN'],
      hints: {
        EINVAL: 'the program is of another type than the one in place',
        ENOLINK: 'what it was attached to is gone',
        EPERM: 'another program is in place than the one expected',
      },
    });
  }

  /** Detaches, also when the link is pinned; the pin stays as an empty shell. */
  detach(): void {
    const attr = new Attr(this.kernel, 4).u32(0, this.fd);
    const result = this.kernel.bpf(COMMAND.LINK_DETACH, attr.bytes);
    if (result >= 0) return;
    throw explainFailure({ operation: `detaching the link (${this.description})`, errno: -result });
  }

  /** Gives the descriptor up, which detaches unless the link is pinned or another process has it open. Idempotent. */
  close(): void {
    this.#descriptor.close();
  }
}

const INFO_BYTES = 48;

export function linkInfo(kernel: Kernel, fd: number): LinkInfo {
  const info = pinnedBytes(INFO_BYTES);
  const attr = new Attr(kernel, 16).u32(0, fd).u32(4, INFO_BYTES).pointer(8, info);
  const result = kernel.bpf(COMMAND.OBJ_GET_INFO_BY_FD, attr.bytes);
  if (result < 0) {
    throw explainFailure({ operation: `describing link descriptor ${fd}`, errno: -result });
  }
  const view = new DataView(info.buffer);
  const word = (offset: number): number => view.getUint32(offset, true);
  const kind = KIND_NAMES.get(word(0));
  const common = { id: word(4), kind, programId: word(8) };
  switch (kind) {
    case 'cgroup':
      return { ...common, cgroupId: view.getBigUint64(16, true), ...attachTypeOf(word(24)) };
    case 'xdp':
      return { ...common, interfaceIndex: word(16), attachType: 'xdp' };
    case 'tcx':
      return { ...common, interfaceIndex: word(16), ...attachTypeOf(word(20)) };
    case 'netns':
      return { ...common, ...attachTypeOf(word(20)) };
    case undefined:
      return common;
  }
}

function attachTypeOf(number: number): { readonly attachType?: AttachType } {
  const attachType = ATTACH_NAMES.get(number);
  return attachType === undefined ? {} : { attachType };
}

const KIND_NAMES: ReadonlyMap<number, LinkKind> = new Map(
  Object.entries(KINDS).map(([name, number]) => [number, name as LinkKind]),
);
const ATTACH_NAMES: ReadonlyMap<number, AttachType> = new Map(
  Object.entries(ATTACH_TYPE).map(([name, number]) => [number, name as AttachType]),
);
