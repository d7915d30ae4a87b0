/** Taking over what a predecessor pinned, and making maps without an object. */
import { closeSync, readlinkSync } from 'node:fs';
import { argumentError } from '../error/bpf-error.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { openKernel } from '../kernel/koffi/koffi-kernel.ts';
import { Link } from '../link/link.ts';
import { assertMatches, createMapFd, mapInfo } from '../map/map-handle.ts';
import { openPinFd } from '../pin/pin.ts';
import { Program, programInfo } from '../program/program.ts';
import type { MapSpec, ProgramSpec } from '../spec/spec.ts';
import type { ProgramType } from '../kernel/uapi.table.ts';
import { type MapOf, openMap } from './open-map.ts';

/** Makes a map that belongs to no object. */
export function createMap<S extends MapSpec>(spec: S, kernel: Kernel = openKernel()): MapOf<S> {
  const inner = spec.inner as MapSpec | undefined;
  if (inner === undefined) return openMap(kernel, spec, createMapFd(kernel, spec));
  const example = createMapFd(kernel, inner);
  try {
    return openMap(kernel, spec, createMapFd(kernel, spec, example));
  } finally {
    closeSync(example);
  }
}

/**
 * Opens a pinned map; undefined when nothing is pinned there.
 *
 * @throws BpfError `EVENKEEL_BPF_ARGUMENT` when the map there is not the one that `spec` describes: type, sizes of key
 *   and value, entries and flags have to be the same, so that no byte is ever misread after an upgrade
 */
export function adoptMap<S extends MapSpec>(
  spec: S,
  path: string,
  kernel: Kernel = openKernel(),
): MapOf<S> | undefined {
  return adopt(kernel, { path, kind: 'map' }, (fd) => {
    assertMatches(spec, mapInfo(kernel, fd));
    return openMap(kernel, spec, fd);
  });
}

/** Opens a pinned program; undefined when nothing is pinned there. */
export function adoptProgram<T extends ProgramType>(
  spec: ProgramSpec<T>,
  path: string,
  kernel: Kernel = openKernel(),
): Program<T> | undefined {
  return adopt(kernel, { path, kind: 'prog' }, (fd) => {
    const { type } = programInfo(kernel, fd);
    if (type === spec.type) return new Program(kernel, spec, fd);
    throw argumentError(`the program pinned at ${path} is of type ${type}, not ${spec.type}`);
  });
}

/** Opens a pinned link; undefined when nothing is pinned there. `update` then replaces its program in one step. */
export function adoptLink(path: string, kernel: Kernel = openKernel()): Link | undefined {
  return adopt(kernel, { path, kind: 'link' }, (fd) => new Link(kernel, `pinned at ${path}`, fd));
}

interface Pin {
  readonly path: string;
  readonly kind: 'map' | 'prog' | 'link';
}

function adopt<T>(kernel: Kernel, { path, kind }: Pin, wrap: (fd: number) => T): T | undefined {
  const fd = openPinFd(kernel, path);
  if (fd === undefined) return undefined;
  try {
    assertKind(fd, { path, kind });
    return wrap(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * The kernel describes maps, programs and links by the same call, in structures that look alike: a per-CPU array read
 * as a program would pass for XDP. What a descriptor stands for is told by its link below /proc.
 */
function assertKind(fd: number, { path, kind }: Pin): void {
  const target = readlinkSync(`/proc/thread-self/fd/${fd}`);
  const found = /bpf[-_](\w+)/u.exec(target)?.[1] ?? target;
  if (found !== kind) throw argumentError(`what is pinned at ${path} is no ${kind} but a ${found}`);
}
