/** Pinning on the kernel this process runs on. */
import type { Kernel } from '../kernel/kernel.ts';
import { openKernel } from '../kernel/koffi/koffi-kernel.ts';
import { DEFAULT_BPFFS, isBpffsAt, mountBpffs } from '../pin/bpffs.ts';
import { type Pinnable, pinAt, type PinOptions } from '../pin/pin.ts';

/**
 * Pins a map, a program, a link or a section of variables at `path`, and makes the folders on the way. From then on it
 * lives without a process, until `unpin`.
 *
 * @param path below a BPF file system, without a dot in its last part: the kernel refuses those
 * @throws BpfError `EVENKEEL_BPF_EXISTS` when something is pinned there, unless `replace`
 */
export function pin(object: Pinnable, path: string, options: PinOptions = {}): void {
  pinAt(options.kernel ?? openKernel(), object, { ...options, path });
}

/**
 * Makes sure that a BPF file system is at `path`, in the mount namespace of this process: looks, and mounts one if
 * there is none. The folder is made if it is missing.
 *
 * @returns whether it was mounted by this call
 * @throws BpfError `EVENKEEL_BPF_PERMISSION` without CAP_SYS_ADMIN
 */
export function ensureBpffs(path: string = DEFAULT_BPFFS, kernel: Kernel = openKernel()): boolean {
  return mountBpffs(kernel, path);
}

/** Whether a path lies in a BPF file system; only there can something be pinned. */
export function isBpffs(path: string, kernel: Kernel = openKernel()): boolean {
  return isBpffsAt(kernel, path);
}
