import { argumentError, BpfError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { explainFailure, type Failure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { ATTACH_TYPE, type AttachType, COMMAND } from '../kernel/uapi.table.ts';
import { type AttachableProgram, Link } from './link.ts';

export interface LinkRequest {
  readonly program: AttachableProgram;
  /** What it is attached to, for messages. */
  readonly target: string;
  /** Descriptor of a cgroup or network namespace, or index of an interface. */
  readonly targetNumber: number;
  readonly attachType: AttachType;
  readonly flags?: number;
  readonly feature: NonNullable<Failure['feature']>;
  readonly hints?: Failure['hints'];
  /** TCX and cgroup: the program or link that this one goes before or after. */
  readonly relativeFd?: number | undefined;
}

/** LINK_CREATE, and a look whether the program really is in place. */
export function createLink(kernel: Kernel, request: LinkRequest): Link {
  const { program, target, attachType, flags = 0, relativeFd } = request;
  const description = `${program.spec.name} at ${attachType} of ${target}`;
  // Only as long as needed: kernels before 6.6 know nothing of positions.
  const attr = new Attr(kernel, relativeFd === undefined ? 16 : 32)
    .u32(0, program.fd)
    .u32(4, request.targetNumber)
    .u32(8, ATTACH_TYPE[attachType])
    .u32(12, flags);
  if (relativeFd !== undefined) attr.u32(16, relativeFd);
  const result = kernel.bpf(COMMAND.LINK_CREATE, attr.bytes);
  if (result < 0) {
    throw explainFailure({
      operation: `attaching ${description}`,
      errno: -result,
      needs: ['BPF', 'NET_ADMIN'],
      feature: request.feature,
      hints: {
        EINVAL: `the program is not one for ${attachType}, or a flag is unknown`,
        ...request.hints,
      },
    });
  }
  const link = new Link(kernel, description, result);
  try {
    verify(link);
  } catch (error) {
    link.close();
    throw error;
  }
  return link;
}

/** Traffic that flows past us unnoticed is the worst outcome, so the kernel is asked once more. */
function verify(link: Link): void {
  const { programId, interfaceIndex, cgroupId } = link.info();
  if (programId !== 0 && interfaceIndex !== 0 && cgroupId !== 0n) return;
  const message = `attaching ${link.description}: the kernel made a link, but its target is gone`;
  throw new BpfError('EVENKEEL_BPF_NOT_FOUND', message);
}

/** The index of an interface in the caller's network namespace. */
export function interfaceIndexOf(kernel: Kernel, target: string | number): number {
  if (typeof target === 'number') {
    if (Number.isInteger(target) && target > 0) return target;
    throw argumentError(`interface: expected a name or a positive index, got ${target}`);
  }
  const index = kernel.interfaceIndex(target);
  if (index > 0) return index;
  throw new BpfError(
    'EVENKEEL_BPF_NOT_FOUND',
    `there is no network interface "${target}" in this network namespace`,
  );
}
