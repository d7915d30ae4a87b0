import { describe, expect, it } from 'vitest';
import { cgroupRoot } from './cgroup-root.ts';

describe('the cgroup v2 hierarchy', () => {
  it.each([
    ['alone', 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n', '/sys/fs/cgroup'],
    [
      'beside version 1',
      'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n',
      '/sys/fs/cgroup/unified',
    ],
    ['at a path with a blank', 'none /mnt/my\\040groups cgroup2 rw 0 0\n', '/mnt/my groups'],
  ])('is found %s', (_where, mounts, path) => expect(cgroupRoot(mounts)).toBe(path));

  it('is missed with what to do', () => {
    expect(() => cgroupRoot('proc /proc proc rw 0 0\n')).toThrow('mount -t cgroup2');
  });
});
