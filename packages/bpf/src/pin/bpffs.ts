import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BpfError } from '../error/bpf-error.ts';
import { explainFailure } from '../kernel/failure.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { BPF_FS_MAGIC } from '../kernel/uapi.table.ts';

/** Where a BPF file system is found by convention. */
export const DEFAULT_BPFFS = '/sys/fs/bpf';

/** Whether a path lies in a BPF file system. */
export function isBpffsAt(kernel: Kernel, path: string): boolean {
  return kernel.fileSystemType(path) === BPF_FS_MAGIC;
}

/** Mounts a BPF file system at `path` unless there is one; says whether it did. */
export function mountBpffs(kernel: Kernel, path: string): boolean {
  if (isBpffsAt(kernel, path)) return false;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new BpfError(
      'EVENKEEL_BPF_NOT_FOUND',
      `cannot make ${path}: ${(cause as Error).message}`,
      { cause },
    );
  }
  const result = kernel.mount({ source: 'bpf', target: path, type: 'bpf' });
  if (result === 0) return true;
  throw explainFailure({
    operation: `mounting a BPF file system at ${path}`,
    errno: -result,
    needs: ['SYS_ADMIN'],
    hints: { ENODEV: 'this kernel has no BPF file system (CONFIG_BPF_SYSCALL)' },
  });
}

/**
 * Makes the folder for a pin, inside a BPF file system. Below the usual place one is mounted when there is none.
 */
export function ensurePinFolder(kernel: Kernel, pin: string): void {
  const folder = dirname(resolve(pin));
  if (folder === DEFAULT_BPFFS || folder.startsWith(`${DEFAULT_BPFFS}/`)) {
    mountBpffs(kernel, DEFAULT_BPFFS);
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isBpffsAt(kernel, folder)) return;
  const message = `cannot pin at ${pin}: ${folder} is not in a BPF file system (mount one: ensureBpffs, or mount -t bpf bpf ${DEFAULT_BPFFS})`;
  throw new BpfError('EVENKEEL_BPF_NOT_FOUND', message);
}
