/**
 * Loads an object map by map and program by program.
 *
 * For what a light skeleton cannot do: it makes all its maps itself, so it cannot use ones that exist; it cannot leave
 * programs out; it takes CAP_PERFMON; and it cannot tell which of its programs was refused. In turn this loader passes
 * no BTF to the kernel: programs with spin locks or timers in map values need the light skeleton.
 */
import { closeSync } from 'node:fs';
import { argumentError, formatError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { callVerifier } from '../kernel/call-verifier.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes, pinnedCopy, pinnedString, textOf } from '../kernel/memory.ts';
import {
  ATTACH_TYPE,
  COMMAND,
  MAP_FLAG,
  PROGRAM_SLEEPABLE,
  PROGRAM_TYPE,
} from '../kernel/uapi.table.ts';
import { createMapFd } from '../map/map-handle.ts';
import type { Globals, GlobalsSpec, MapSpec, ObjectSpec, ProgramSpec } from '../spec/spec.ts';
import { globalsMapSpec } from './globals.ts';
import type { Descriptors, LoadPlan } from './load-plan.ts';
import { unpack } from './packed.ts';

/** Old kernels refuse a verdict that does not fit the log, so there is room for a long one. */
const LOG_BYTES = 4 * 1024 * 1024;

export function loadDirect(kernel: Kernel, spec: ObjectSpec, plan: LoadPlan): Descriptors {
  const maps = new Map<string, number>();
  const programs = new Map<string, number>();
  try {
    for (const map of Object.values(spec.maps)) {
      maps.set(map.name, mapFd(kernel, map, plan));
    }
    for (const [kind, globals] of Object.entries(spec.globals)) {
      maps.set(globals.name, globalsFd(kernel, { kind: kind as keyof Globals, globals }, plan));
    }
    const descriptors = descriptorArray(spec, maps);
    for (const program of Object.values(spec.programs)) {
      programs.set(program.name, loadProgram(kernel, { spec, program, descriptors }));
    }
    return { maps, programs };
  } catch (error) {
    const all = new Set([...plan.existing.values(), ...maps.values(), ...programs.values()]);
    for (const fd of all) closeSync(fd);
    throw error;
  }
}

function mapFd(kernel: Kernel, spec: MapSpec, plan: LoadPlan): number {
  const existing = plan.existing.get(spec.name);
  if (existing !== undefined) return existing;
  const sized = { ...spec, maxEntries: plan.maxEntries.get(spec.name) ?? spec.maxEntries };
  if (spec.inner === undefined) return createMapFd(kernel, sized);
  // The kernel reads the shape of the entries off an example.
  const example = createMapFd(kernel, spec.inner as MapSpec);
  try {
    return createMapFd(kernel, sized, example);
  } finally {
    closeSync(example);
  }
}

interface NamedGlobals {
  readonly kind: keyof Globals;
  readonly globals: GlobalsSpec;
}

function globalsFd(kernel: Kernel, { kind, globals }: NamedGlobals, plan: LoadPlan): number {
  const existing = plan.existing.get(globals.name);
  if (existing !== undefined) return existing;
  const readOnly = kind === 'rodata' ? MAP_FLAG.RDONLY_PROG : 0;
  const fd = createMapFd(kernel, {
    ...globalsMapSpec(globals),
    flags: MAP_FLAG.MMAPABLE | readOnly,
  });
  const initial =
    plan.initial.get(globals.name) ?? pinnedCopy(Buffer.from(globals.initial ?? '', 'base64'));
  const call = (command: number, attr: Attr): void => {
    const result = kernel.bpf(command, attr.bytes);
    if (result >= 0) return;
    closeSync(fd);
    throw explainFailure({ operation: `setting the variables in ${globals.name}`, errno: -result });
  };
  if (initial.length > 0) {
    call(
      COMMAND.MAP_UPDATE_ELEM,
      new Attr(kernel, 32).u32(0, fd).pointer(8, pinnedBytes(4)).pointer(16, initial),
    );
  }
  // Frozen, the verifier takes the values for constants and drops the branches they switch off.
  if (kind === 'rodata') call(COMMAND.MAP_FREEZE, new Attr(kernel, 4).u32(0, fd));
  return fd;
}

function descriptorArray(spec: ObjectSpec, maps: ReadonlyMap<string, number>): Uint8Array {
  const bytes = pinnedBytes(Math.max(4, 4 * spec.image.maps.length));
  const view = new DataView(bytes.buffer);
  spec.image.maps.forEach((name, index) => {
    const fd = maps.get(name);
    if (fd === undefined)
      throw formatError(`object "${spec.name}" refers to a map "${name}" that it does not have`);
    view.setInt32(4 * index, fd, true);
  });
  return bytes;
}

interface ProgramToLoad {
  readonly spec: ObjectSpec;
  readonly program: ProgramSpec;
  /** Descriptors of the maps, as the instructions count them. */
  readonly descriptors: Uint8Array;
}

function loadProgram(kernel: Kernel, { spec, program, descriptors }: ProgramToLoad): number {
  const packed = spec.image.programs[program.name];
  if (packed === undefined) {
    const reason = spec.image.refusals?.[program.name] ?? 'its code is missing';
    throw argumentError(
      `program "${program.name}" of object "${spec.name}" cannot be loaded by itself: ${reason}`,
    );
  }
  const instructions = unpack(`program ${program.name}`, packed);
  const load = (log: Uint8Array | undefined): number =>
    callVerifier(
      kernel,
      COMMAND.PROG_LOAD,
      new Attr(kernel, 128)
        .u32(0, PROGRAM_TYPE[program.type])
        .u32(4, instructions.length / 8)
        .pointer(8, instructions)
        .pointer(16, pinnedString(spec.image.license))
        .u32(24, log === undefined ? 0 : 1)
        .u32(28, log?.length ?? 0)
        .pointer(32, log)
        .u32(44, program.type === 'syscall' ? PROGRAM_SLEEPABLE : 0)
        .name(48, program.name)
        .u32(68, program.attachType === undefined ? 0 : ATTACH_TYPE[program.attachType])
        .pointer(120, descriptors).bytes,
    );
  const result = load(undefined);
  if (result >= 0) return result;
  // Only now with a log: writing one costs more than verifying.
  const log = pinnedBytes(LOG_BYTES);
  const again = load(log);
  if (again >= 0) closeSync(again);
  throw explainFailure({
    operation: `loading program "${program.name}" (${program.type}) of object "${spec.name}"`,
    errno: -result,
    needs: ['BPF', 'NET_ADMIN'],
    feature: { name: 'a program of this form', since: [5, 15] },
    log: textOf(log),
  });
}
