import { readFileSync } from 'node:fs';
import { BpfError } from '../error/bpf-error.ts';

/**
 * Where the cgroup v2 hierarchy is mounted: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` on hosts that have both
 * versions.
 *
 * @throws BpfError `EVENKEEL_BPF_NOT_FOUND` when there is none in this process's mount namespace
 */
export function cgroupRoot(
  mounts: string = readFileSync('/proc/thread-self/mounts', 'utf8'),
): string {
  for (const line of mounts.split('\n')) {
    const [, path, type] = line.split(' ');
    // Blanks in paths are written as octal numbers.
    if (type === 'cgroup2' && path !== undefined) return path.replaceAll('\\040', ' ');
  }
  throw new BpfError(
    'EVENKEEL_BPF_NOT_FOUND',
    'no cgroup v2 hierarchy is mounted here: mount -t cgroup2 none /sys/fs/cgroup',
  );
}
