/**
 * Pins: names in a BPF file system that keep maps, programs and links alive without a process.
 *
 * A restart adopts what its predecessor pinned, replaces the program in one step, and no packet is lost meanwhile.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { BpfError } from '../error/bpf-error.ts';
import { Attr } from '../kernel/attr.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { pinnedString } from '../kernel/memory.ts';
import { COMMAND } from '../kernel/uapi.table.ts';
import { ensurePinFolder } from './bpffs.ts';

/** Anything with a descriptor of the kernel's BPF objects: a map, a program, a link. */
export interface Pinnable {
  readonly fd: number;
}

export interface PinOptions {
  /** Whether a pin that is there already is replaced, in one step. Default false: then it is an error. */
  readonly replace?: boolean;
  /** Default: the kernel this process runs on. */
  readonly kernel?: Kernel;
}

/** Pins at `at.path`, and makes the folders on the way. */
export function pinAt(
  kernel: Kernel,
  object: Pinnable,
  at: PinOptions & { readonly path: string },
): void {
  const { path, replace = false } = at;
  ensurePinFolder(kernel, path);
  if (!replace || !existsSync(path)) {
    pinOnce(kernel, object, path);
    return;
  }
  const fresh = `${path}_new_${process.pid}`;
  rmSync(fresh, { force: true });
  pinOnce(kernel, object, fresh);
  // rename(2) inside the file system: whoever opens the path finds the old object or the new one.
  renameSync(fresh, path);
}

function pinOnce(kernel: Kernel, object: Pinnable, path: string): void {
  const attr = new Attr(kernel, 16).pointer(0, pinnedString(path)).u32(8, object.fd);
  const result = kernel.bpf(COMMAND.OBJ_PIN, attr.bytes);
  if (result >= 0) return;
  throw explainFailure({
    operation: `pinning at ${path}`,
    errno: -result,
    hints: {
      EEXIST: 'something is pinned there already: adopt it, or pin with replace',
      EPERM: 'not in a BPF file system, or the name contains a dot',
      EINVAL: 'not in a BPF file system',
    },
  });
}

/** Opens what is pinned at a path, as a new descriptor; undefined when nothing is. What it is has to be checked by the caller. */
export function openPinFd(kernel: Kernel, path: string): number | undefined {
  const attr = new Attr(kernel, 16).pointer(0, pinnedString(path));
  const result = kernel.bpf(COMMAND.OBJ_GET, attr.bytes);
  if (result >= 0) return result;
  if (-result === 2) return undefined;
  throw explainFailure({
    operation: `opening the pin ${path}`,
    errno: -result,
    hints: {
      EACCES: 'this is a file, not a pin, or its permissions forbid it',
      EPERM: 'its permissions forbid it',
    },
  });
}

/** Removes a pin; false when there was none. The object ends when nothing else holds it. */
export function unpin(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    rmSync(path);
    return true;
  } catch (cause) {
    throw new BpfError(
      'EVENKEEL_BPF_PERMISSION',
      `cannot remove the pin ${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
}
