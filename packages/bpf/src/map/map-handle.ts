import { BpfError, argumentError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { Descriptor } from '../kernel/descriptor.ts';
import { explainFailure, type Failure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes, textOf } from '../kernel/memory.ts';
import { COMMAND, MAP_FLAG, MAP_TYPE, type MapType } from '../kernel/uapi.table.ts';
import type { MapSpec } from '../spec/spec.ts';
import { possibleCpus } from './possible-cpus.ts';

/** What the kernel says about a map. */
export interface MapInfo {
  /** Unique while the map lives; `bpftool map show id` takes it. */
  readonly id: number;
  readonly type: MapType | undefined;
  readonly name: string;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** What all kinds of maps have in common: a descriptor, a description, an end. */
export class MapHandle<Spec extends MapSpec = MapSpec> {
  readonly spec: Spec;
  protected readonly kernel: Kernel;
  protected readonly descriptor: Descriptor;

  constructor(kernel: Kernel, spec: Spec, fd: number) {
    this.kernel = kernel;
    this.spec = spec;
    this.descriptor = new Descriptor(fd, `map "${spec.name}"`);
  }

  /** The map's file descriptor, for other system calls of this process. */
  get fd(): number {
    return this.descriptor.fd;
  }

  get isOpen(): boolean {
    return this.descriptor.isOpen;
  }

  info(): MapInfo {
    return mapInfo(this.kernel, this.fd);
  }

  /** Forbids further changes from user space, for good; programs go on. */
  freeze(): void {
    this.check(
      'freezing',
      this.kernel.bpf(COMMAND.MAP_FREEZE, new Attr(this.kernel, 4).u32(0, this.fd).bytes),
    );
  }

  /** Gives the descriptor up. The map goes on as long as a program, a pin or another process holds it. Idempotent. */
  close(): void {
    this.descriptor.close();
  }

  /** Throws what a negative result says, otherwise returns it. */
  protected check(action: string, result: number, hints?: Failure['hints']): number {
    if (result >= 0) return result;
    const operation = `${action} ${this.descriptor.what}`;
    throw explainFailure({ operation, errno: -result, hints });
  }
}

/** Offsets of `struct bpf_map_info`. */
const INFO_BYTES = 80;

/** Asks the kernel what map a descriptor stands for. */
export function mapInfo(kernel: Kernel, fd: number): MapInfo {
  const info = pinnedBytes(INFO_BYTES);
  const attr = new Attr(kernel, 16).u32(0, fd).u32(4, INFO_BYTES).pointer(8, info);
  const result = kernel.bpf(COMMAND.OBJ_GET_INFO_BY_FD, attr.bytes);
  if (result < 0) {
    throw explainFailure({ operation: `describing map descriptor ${fd}`, errno: -result });
  }
  const view = new DataView(info.buffer);
  const word = (offset: number): number => view.getUint32(offset, true);
  return {
    id: word(4),
    type: TYPE_NAMES.get(word(0)),
    name: textOf(info.subarray(24, 40)),
    keyBytes: word(8),
    valueBytes: word(12),
    maxEntries: word(16),
    flags: word(20),
  };
}

const TYPE_NAMES: ReadonlyMap<number, MapType> = new Map(
  Object.entries(MAP_TYPE).map(([name, number]) => [number, name as MapType]),
);

/**
 * Makes sure that a map is the one a spec describes, before any byte of it is interpreted.
 *
 * @throws BpfError `EVENKEEL_BPF_ARGUMENT` that names every difference
 */
export function assertMatches(spec: MapSpec, info: MapInfo): void {
  const differences: string[] = [];
  const compare = (what: string, wanted: unknown, found: unknown): void => {
    if (wanted !== found) differences.push(`${what} ${String(found)} instead of ${String(wanted)}`);
  };
  compare('type', spec.type, info.type);
  compare('key size', spec.key.bytes, info.keyBytes);
  compare('value size', spec.value.bytes, info.valueBytes);
  compare('max entries', entriesAsMade(spec), info.maxEntries);
  // Adopting a map adds nothing to it: a program that relies on a flag must not find it missing.
  const wanted = spec.flags ?? 0;
  const relevant = MAP_FLAG.NO_PREALLOC | MAP_FLAG.MMAPABLE | MAP_FLAG.NO_COMMON_LRU;
  compare('flags', wanted & relevant, info.flags & relevant);
  if (differences.length === 0) return;
  throw argumentError(
    `the existing map "${info.name}" (id ${info.id}) is not "${spec.name}": ${differences.join(', ')}`,
  );
}

/** An LRU map with lists per CPU is made with the same number of entries for each. */
function entriesAsMade({ maxEntries, flags = 0 }: MapSpec): number {
  if ((flags & MAP_FLAG.NO_COMMON_LRU) === 0) return maxEntries;
  const cpus = possibleCpus();
  return Math.ceil(maxEntries / cpus) * cpus;
}

/** Creates a map that belongs to no object yet. */
export function createMapFd(kernel: Kernel, spec: MapSpec, innerFd?: number): number {
  const { type, key, value, maxEntries, flags = 0, name } = spec;
  const attr = new Attr(kernel, 72)
    .u32(0, MAP_TYPE[type])
    .u32(4, key.bytes)
    .u32(8, value.bytes)
    .u32(12, maxEntries)
    .u32(16, flags)
    .u32(20, innerFd ?? 0)
    .name(28, name);
  const result = kernel.bpf(COMMAND.MAP_CREATE, attr.bytes);
  if (result >= 0) return result;
  throw explainFailure({
    operation: `creating map "${name}" (${type}, ${maxEntries} entries of ${key.bytes} + ${value.bytes} bytes)`,
    errno: -result,
    hints: {
      EINVAL: 'this kernel does not know the type, a flag, or the combination of sizes',
      E2BIG: 'key, value or the whole map is larger than the kernel allows',
    },
  });
}

/** Opens another descriptor of a map by the kernel's number for it. */
export function mapFdById(kernel: Kernel, id: number): number {
  const result = kernel.bpf(COMMAND.MAP_GET_FD_BY_ID, new Attr(kernel, 12).u32(0, id).bytes);
  if (result >= 0) return result;
  if (-result === 2) {
    throw new BpfError('EVENKEEL_BPF_NOT_FOUND', `there is no map with id ${id} any more`, {
      errno: -result,
    });
  }
  throw explainFailure({
    operation: `opening the map with id ${id}`,
    errno: -result,
    needs: ['SYS_ADMIN'],
  });
}
