/**
 * Loads an object by its light skeleton: one program, run once in the kernel, creates the maps and loads the programs.
 * No libbpf, no ELF, no BTF of the running kernel. Linux 5.15.
 *
 * The context that the loader program reads and writes: 24 bytes of header, 16 for each map (descriptor, entries,
 * address of the initial value), 4 for each program (descriptor).
 */
import { closeSync } from 'node:fs';
import { formatError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { callVerifier, retryInterrupted } from '../kernel/call-verifier.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedBytes, pinnedCopy, pinnedString, textOf } from '../kernel/memory.ts';
import { COMMAND, MAP_TYPE, PROGRAM_SLEEPABLE, PROGRAM_TYPE } from '../kernel/uapi.table.ts';
import type { ObjectSpec } from '../spec/spec.ts';
import type { Descriptors, LoadPlan } from './load-plan.ts';
import { unpack } from './packed.ts';

const HEADER_BYTES = 24;
const MAP_BYTES = 16;
const FEATURE = { name: 'a light skeleton', since: [5, 15] } as const;
/** Running a loader takes the helper that calls bpf(2), which the kernel gives to those who may trace. */
const NEEDS = ['BPF', 'PERFMON', 'NET_ADMIN'] as const;

export function loadLight(kernel: Kernel, spec: ObjectSpec, plan: LoadPlan): Descriptors {
  const { loader } = spec;
  const dataMap = createDataMap(kernel, spec);
  let program: number | undefined;
  try {
    program = loadLoader(kernel, spec, dataMap);
    const context = contextFor(kernel, spec, plan);
    const attr = new Attr(kernel, 80)
      .u32(0, program)
      .u32(40, context.length)
      .pointer(48, context.bytes);
    const verdict = retryInterrupted(() => {
      const result = kernel.bpf(COMMAND.PROG_TEST_RUN, attr.bytes);
      // The call succeeds even when the loader program did not: its own result is in the block.
      return result < 0 ? result : attr.readI32(4);
    });
    if (verdict < 0) throw failure(spec, `loading`, -verdict);
    return descriptorsFrom(context.bytes, loader);
  } finally {
    if (program !== undefined) closeSync(program);
    closeSync(dataMap);
  }
}

function createDataMap(kernel: Kernel, spec: ObjectSpec): number {
  const data = unpack(`the loader's data of ${spec.name}`, spec.loader.data);
  const create = new Attr(kernel, 72)
    .u32(0, MAP_TYPE.array)
    .u32(4, 4)
    .u32(8, data.length)
    .u32(12, 1)
    .name(28, '__loader.map');
  const map = kernel.bpf(COMMAND.MAP_CREATE, create.bytes);
  if (map < 0) throw failure(spec, 'creating the map of the loader of', -map);
  const update = new Attr(kernel, 32).u32(0, map).pointer(8, pinnedBytes(4)).pointer(16, data);
  const result = kernel.bpf(COMMAND.MAP_UPDATE_ELEM, update.bytes);
  if (result >= 0) return map;
  closeSync(map);
  throw failure(spec, 'filling the map of the loader of', -result);
}

function loadLoader(kernel: Kernel, spec: ObjectSpec, dataMap: number): number {
  const instructions = unpack(`the loader of ${spec.name}`, spec.loader.instructions);
  if (instructions.length === 0 || instructions.length % 8 !== 0) {
    throw formatError(
      `the loader of ${spec.name} has ${instructions.length} bytes, not a multiple of 8`,
    );
  }
  const descriptors = pinnedBytes(4);
  new DataView(descriptors.buffer).setInt32(0, dataMap, true);
  const load = (log: Uint8Array | undefined): number =>
    callVerifier(
      kernel,
      COMMAND.PROG_LOAD,
      new Attr(kernel, 128)
        .u32(0, PROGRAM_TYPE.syscall)
        .u32(4, instructions.length / 8)
        .pointer(8, instructions)
        // Of the loader itself; each program carries its own.
        .pointer(16, pinnedString('Dual BSD/GPL'))
        .u32(24, log === undefined ? 0 : 1)
        .u32(28, log?.length ?? 0)
        .pointer(32, log)
        .u32(44, PROGRAM_SLEEPABLE)
        .name(48, '__loader.prog')
        .pointer(120, descriptors).bytes,
    );
  const result = load(undefined);
  if (result >= 0) return result;
  const log = pinnedBytes(64 * 1024);
  load(log);
  throw failure(spec, 'loading the loader of', -result, textOf(log));
}

interface Context {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

function contextFor(kernel: Kernel, { loader }: ObjectSpec, plan: LoadPlan): Context {
  const used = HEADER_BYTES + MAP_BYTES * loader.maps.length + 4 * loader.programs.length;
  const bytes = pinnedBytes(Math.ceil(used / 8) * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  loader.maps.forEach((name, index) => {
    const offset = HEADER_BYTES + MAP_BYTES * index;
    // Zero in either field keeps what was compiled in.
    view.setUint32(offset + 4, plan.maxEntries.get(name) ?? 0, true);
    const initial = plan.initial.get(name);
    if (initial === undefined) return;
    plan.keepAlive.push(initial);
    view.setBigUint64(offset + 8, kernel.addressOf(initial), true);
  });
  return { bytes, length: bytes.length };
}

function descriptorsFrom(
  context: Uint8Array<ArrayBuffer>,
  loader: ObjectSpec['loader'],
): Descriptors {
  const view = new DataView(pinnedCopy(context).buffer);
  const programsAt = HEADER_BYTES + MAP_BYTES * loader.maps.length;
  const maps = loader.maps.map(
    (name, index) => [name, view.getInt32(HEADER_BYTES + MAP_BYTES * index, true)] as const,
  );
  const programs = loader.programs.map(
    (name, index) => [name, view.getInt32(programsAt + 4 * index, true)] as const,
  );
  return { maps: new Map(maps), programs: new Map(programs) };
}

// oxlint-disable-next-line max-params -- three call sites, each with one fact more than the other
function failure(spec: ObjectSpec, action: string, errno: number, log?: string): Error {
  return explainFailure({
    operation: `${action} object "${spec.name}"`,
    errno,
    needs: NEEDS,
    feature: FEATURE,
    log,
  });
}
